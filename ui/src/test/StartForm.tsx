// SPDX-License-Identifier: MIT
//
// StartForm - starts a test or changes the one that runs: on the page before the first one, later
// in a dialog.
import {useState} from "preact/hooks";

import {explain, isBusy, swarm} from "../api";
import type {OwnOption, Requests, Settings, SwarmForm, UserClass} from "../api";
import {Dialog} from "../components/Dialog";
import {withoutUser} from "../format";
import {ClassDialog} from "./ClassDialog";

const NO_SHAPE = "Default"; // Locust's word.
const RUN_TIME = "\\s*(\\d+|(?=\\d)(\\d+h)?(\\d+m)?(\\d+s)?)\\s*";

interface FormProps {
  settings: Settings;
  requests: Requests;
  onStarted: () => void;
  onClasses: () => void;
}

function runTimeText(seconds: number): string {
  return seconds ? `${seconds}s` : "";
}

function isUrl(host: string): boolean {
  return URL.canParse(host) && /^https?:/.test(host);
}

function share({weight, fixed_count, host, tasks}: UserClass): string {
  const drawn = tasks.filter((task) => task.is_drawn).length;

  return (fixed_count ? `${fixed_count} users` : `weight ${weight}`) +
    (drawn < tasks.length ? `, ${drawn} of ${tasks.length} tasks` : "") +
    (host ? `, ${withoutUser(host)}` : "");
}

interface TagChoice {
  only: string[];
  except: string[];
}

function tagsOf(classes: UserClass[]): string[] {
  const words = classes.flatMap(({tasks}) => tasks.flatMap(({tags}) => tags.split(/[ ,]+/)));

  return [...new Set(words)].filter((word) => word).sort();
}

function TagList({legend, all, chosen, onChoose}: {
  legend: string;
  all: string[];
  chosen: string[];
  onChoose: (tags: string[]) => void;
}) {
  return <fieldset class="tags"><legend>{legend}</legend>{all.map((tag) =>
    <label key={tag} class="check"><input type="checkbox" checked={chosen.includes(tag)}
      onChange={() => onChoose(chosen.includes(tag) ? chosen.filter((one) => one !== tag) : [...chosen, tag])}/>
      <bdi>{tag}</bdi></label>)}</fieldset>;
}

function Classes({classes, chosen, onChoose, onOpen}: {
  classes: UserClass[];
  chosen: string[];
  onChoose: ((names: string[]) => void) | undefined; // A load shape decides by itself.
  onOpen: (name: string) => void;
}) {
  const all = classes.map((one) => one.name);

  function toggle(name: string) {
    onChoose?.(chosen.includes(name) ? chosen.filter((one) => one !== name)
                                   : all.filter((one) => one === name || chosen.includes(one)));
  }

  return <fieldset class="classes">
    <legend>User classes</legend>
    {onChoose && all.length > 1 && <label class="check all">
      <input type="checkbox" checked={chosen.length === all.length}
        onChange={() => onChoose(chosen.length === all.length ? [] : all)}/>All</label>}
    <ul>{classes.map((one) => <li key={one.name}>
      {onChoose ? <label class="check"><input type="checkbox" checked={chosen.includes(one.name)}
        onChange={() => toggle(one.name)}/><bdi>{one.name}</bdi></label>
        : <bdi class="check">{one.name}</bdi>}
      <span class="quiet">{share(one)}</span>
      <button type="button" class="small" onClick={() => onOpen(one.name)}
              aria-label={`Settings of ${one.name}`}>Settings</button>
    </li>)}</ul>
  </fieldset>;
}

function isFlag({choices}: OwnOption): boolean {
  return choices?.length === 2 && choices[0] === "true" && choices[1] === "false";
}

function OptionInput({of}: {of: OwnOption}) {
  const {name, value, is_secret, choices} = of;

  if (isFlag(of))
    return <input name={name} type="checkbox" value="true" defaultChecked={value === "true"}/>;
  if (choices)
    return <select name={name}>{choices.map((choice) =>
      <option key={choice} selected={choice === value}>{choice}</option>)}</select>;
  if (is_secret)
    return <input name={name} type="password" autoComplete="off" placeholder="unchanged"/>;
  return <input name={name} type="text" autoComplete="off" defaultValue={value ?? ""}/>;
}

export function StartForm({settings, requests, onStarted, onClasses}: FormProps) {
  const isEdit = isBusy(requests.state), hasNobody = requests.worker_count === 0;
  const [shape, setShape] = useState(settings.shape ?? NO_SHAPE);
  const isShaped = isEdit ? settings.is_shaped : shape !== NO_SHAPE;
  const hasNumbers = !isShaped || (settings.shapes.find(({name}) => name === shape)?.wants_numbers ?? false);
  const [host, setHost] = useState(settings.host ?? "");
  const withHost = settings.user_classes.filter((one) => one.host !== null).map((one) => one.name);
  const [chosen, setChosen] = useState(() => settings.user_classes.map((one) => one.name));
  const [open, setOpen] = useState<string>();
  const edited = settings.user_classes.find((one) => one.name === open);
  const allTags = tagsOf(settings.user_classes);
  const [tags, setTags] = useState<TagChoice>(); // Undefined: as it is.
  const [problem, setProblem] = useState<string>();
  const [isAsking, setAsking] = useState(false);

  function read(form: FormData): SwarmForm {
    const asked: SwarmForm = {};
    for (const name of ["user_count", "spawn_rate", "host", "run_time", "profile"] as const)
      if (form.has(name))
        asked[name] = String(form.get(name)).trim();
    if (asked.host === settings.host)
      delete asked.host; // It would be that of all classes again.
    for (const {name} of settings.options)
      asked[name] = String(form.get(name) ?? "false"); // A box that is not checked says nothing.
    if (!isEdit && settings.shape !== null)
      asked.shape_class = shape;
    if (!isEdit && !isShaped && chosen.length < settings.user_classes.length)
      asked.user_classes = chosen;
    if (!isEdit && !isShaped && tags) {
      asked.tags = tags.only;
      asked.exclude_tags = tags.except;
    }
    return asked;
  }

  async function onSubmit(event: SubmitEvent) {
    event.preventDefault();
    setAsking(true);
    setProblem(undefined);
    try {
      await swarm(read(new FormData(event.target as HTMLFormElement)));
      onStarted();
    } catch (error) {
      setProblem(explain(error));
      setAsking(false);
    }
  }

  return <>
    <form onSubmit={onSubmit}>
      {!isEdit && requests.state === "ready" && <h2>Start a test</h2>}
      {!isEdit && settings.shape !== null && <p><label class="inline">Load shape
        <select value={shape} onChange={(event) => setShape(event.currentTarget.value)}>
          {settings.shapes.map(({name}) => <option key={name} value={name}>{name}</option>)}
          <option value={NO_SHAPE}>None: the numbers of this form</option>
        </select></label></p>}
      {isShaped && <p>The load shape <strong>{shape}</strong> says how many users there are
        {hasNumbers ? ", going by these numbers," : ""} and when the test ends. Stop ends it before.</p>}
      <div class="fields">
        {hasNumbers && <>
          <label>Number of users (peak)
            <input name="user_count" type="number" min="1" step="1" required autoFocus
                   defaultValue={String(settings.user_count || 1)}/></label>
          <label>Ramp up (users started per second)
            <input name="spawn_rate" type="number" min="0.000001" step="any" required
                   defaultValue={String(settings.spawn_rate || 1)}/></label></>}
        {!isEdit && <label class="wide">Host
          <input name="host" type="text" inputMode="url" value={host} placeholder="http://target:8000"
                 onInput={(event) => setHost(event.currentTarget.value)}/>
          {host && !isUrl(host) && <small>{host.includes("://")
            ? "This is no http or https URL." : `Will be http://${host}`}</small>}
          {!host && <small>{settings.host ? `As before: ${withoutUser(settings.host)}`
            : "Each user class needs a host of its own, then."}</small>}
          {withHost.length > 0 && <small>{withHost.join(", ")} {withHost.length > 1 ? "have hosts" : "has a host"}{" "}
            of {withHost.length > 1 ? "their" : "its"} own; another one here is that of all classes.</small>}</label>}
      </div>
      <details open={!isEdit && (settings.user_classes.length > 1 || settings.options.length > 0)}>
        <summary>Advanced options</summary>
        <div class="fields">
          {hasNumbers && <label>
            {isEdit ? "Run time from now (empty: as it is)" : "Run time (empty: no end)"}
            <input name="run_time" type="text" placeholder="20, 20s, 3m, 2h, 1h20m" pattern={RUN_TIME}
                   defaultValue={isEdit ? "" : runTimeText(settings.run_time)}
                   title="Seconds, or hours, minutes and seconds: 20, 20s, 3m, 1h20m"/></label>}
          {!isEdit && <label>Profile (what the test is called)
            <input name="profile" type="text" maxLength={256} autoComplete="off"
                   defaultValue={settings.profile ?? ""}/></label>}
        </div>
        {settings.options.length > 0 && <fieldset>
          <legend>Options of the locustfile</legend>
          <div class="fields">{settings.options.map((one) =>
            <label key={one.name} class={isFlag(one) ? "flag" : ""}>{one.name}<OptionInput of={one}/>
              {one.help && <small>{one.help}</small>}</label>)}</div>
        </fieldset>}
        {!isEdit && !isShaped && allTags.length > 0 && <div class="fields">
          <TagList legend="Only tasks with one of these tags" all={allTags} chosen={tags?.only ?? []}
                   onChoose={(only) => setTags({only, except: tags?.except ?? []})}/>
          <TagList legend="No tasks with these tags" all={allTags} chosen={tags?.except ?? []}
                   onChoose={(except) => setTags({only: tags?.only ?? [], except})}/>
        </div>}
        {!isEdit && <Classes classes={settings.user_classes} chosen={chosen} onOpen={setOpen}
                             onChoose={isShaped ? undefined : setChosen}/>}
      </details>
      {problem && <p class="bad" role="alert">{problem}</p>}
      <div class="buttons">
        <button type="submit" class="main"
                disabled={isAsking || hasNobody || (!isEdit && !isShaped && !chosen.length)}>
          {isEdit ? "Update" : "Start"}</button>
      </div>
    </form>
    {edited && <ClassDialog of={edited} onClose={() => setOpen(undefined)} onSaved={onClasses}/>}
  </>;
}

export function StartDialog({onClose, ...form}: FormProps & {onClose: () => void}) {
  const isEdit = isBusy(form.requests.state);

  return <Dialog title={isEdit ? "Change the running test" : "Start a new test"} onClose={onClose}>
    <StartForm {...form}/>
  </Dialog>;
}
