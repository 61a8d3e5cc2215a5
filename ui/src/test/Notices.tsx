// SPDX-License-Identifier: MIT
//
// Notices - what has to be known before a number is believed.
import type {Generator, Requests, Settings, Window} from "../api";
import {moment, number} from "../format";
import type {Polled} from "../poll";
import type {Restarted} from "./restart";

export function GeneratorNotices({generator}: {generator: Generator | undefined}) {
  return <>
    {generator?.limited && <p class="notice bad" id="limited">The load generator itself was the
      limit of this test: {generator.reason}. The target may be better than these numbers say.</p>}
    {generator && generator.dropped > 0 && <p class="notice bad" id="dropped">
      {number(generator.dropped)} arrivals were dropped, since too many were in flight.</p>}
  </>;
}

export function OnePort({count}: {count: number | undefined}) {
  if (!count)
    return null;
  return <p class="notice" id="one-port">{count === 1 ? "1 worker does" : `${number(count)} workers do`} not
    reach the second port of the master (the one after --master-bind-port, 5558 by default): nothing is
    lost, but their numbers come every 3 s, and large ones delay commands. Open that port, too.</p>;
}

export function Notices({requests, settings, window, failure, restarted}: {
  requests: Polled<Requests>;
  settings: Settings | undefined;
  window: Window | undefined;
  failure: string | undefined;
  restarted: Restarted;
}) {
  const now = requests.value;
  const isEmpty = settings?.is_distributed && now?.worker_count === 0;

  return <div class="notices" role="status">
    {requests.error && <p class="notice bad" id="lost">{requests.error}
      {now ? " What is shown is old; trying again." : " Trying again."}</p>}
    {failure && <p class="notice bad" id="failed">{failure}</p>}
    {restarted.times > 0 && <p class="notice" id="restarted">The load generator was started anew
      at {moment(restarted.at)}; numbers and charts are those of the new one.</p>}
    {isEmpty && <p class="notice" id="no-workers">No worker is connected: a test can start when
      there is one.</p>}
    <GeneratorNotices generator={window?.generator}/>
    <OnePort count={now?.workers_on_one_port}/>
  </div>;
}
