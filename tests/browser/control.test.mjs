// SPDX-License-Identifier: MIT
//
// control - a test is started, changed, stopped, reset and started anew from the page, and what the
// API says of it is what was asked for.
import assert from "node:assert/strict";
import {before, test} from "node:test";

import {Site, eventually, openPage, startTarget} from "./world.mjs";

let target, site;

before(async () => {
  target = await startTarget();
  site = await Site.start(["-u", "7", "-r", "3", "-t", "10m"]);
});

async function shows(page, id, text) {
  await eventually(`#${id} shows ${text}`, async () =>
    (await page.locator(`#${id}`).textContent()) === text);
}

async function users(count) {
  await eventually(`${count} users`, async () =>
    (await site.get("stats/requests")).user_count === count);
}

test("the form offers what the options say, and refuses what cannot be", async () => {
  const page = await openPage(site);
  const start = page.getByRole("button", {name: "Start"});

  assert.equal(await page.getByLabel("Number of users (peak)").inputValue(), "7");
  assert.equal(await page.getByLabel(/^Ramp up/).inputValue(), "3");
  assert.equal(await page.getByLabel(/^Run time/).inputValue(), "600s");
  assert.equal(await page.getByLabel("Host").inputValue(), "");
  await page.getByLabel("Number of users (peak)").fill("0");
  await start.click();
  await page.getByLabel("Number of users (peak)").fill("7");
  await page.getByLabel(/^Run time/).fill("soon");
  await start.click();
  await page.getByLabel("Host").fill("ftp://somewhere");
  await page.getByText("This is no http or https URL.").waitFor();
  await page.getByLabel("Host").fill("inference:8000");
  await page.getByText("Will be http://inference:8000").waitFor();
  assert.equal((await site.get("stats/requests")).state, "ready");
  // What the browser cannot know the server says.
  await page.getByLabel(/^Run time/).fill("");
  await page.getByLabel("Number of users (peak)").fill("999999999");
  await start.click();
  assert.match(await page.getByRole("alert").textContent(), /user_count/);
  assert.equal((await site.get("stats/requests")).state, "ready");
  assert.deepEqual(page.faults, []);
});

test("a class gets another share, and one alone takes part", async () => {
  const page = await openPage(site);

  await page.getByRole("button", {name: "Settings of Visitor"}).click();
  const dialog = page.getByRole("dialog", {name: "Settings of Visitor"});
  await dialog.getByLabel("Weight", {exact: true}).fill("2.5");
  await dialog.getByLabel("broken").uncheck();
  await dialog.getByLabel("Host of this class").fill("http://own:81");
  await dialog.getByRole("button", {name: "Save"}).click();
  await dialog.waitFor({state: "detached"});
  await page.getByText(/^weight 2.5, .* tasks, http:..own:81$/).waitFor();
  await page.getByText("Visitor has a host of its own").waitFor();
  // Enter saves, too, and starts nothing.
  await page.getByRole("button", {name: "Settings of Buyer"}).click();
  await page.getByLabel("Weight", {exact: true}).fill("1.5");
  await page.keyboard.press("Enter");
  await page.getByText("weight 1.5").waitFor();
  assert.equal((await site.get("stats/requests")).state, "ready");
  const visitor = (await site.get("settings")).user_classes.find(({name}) => name === "Visitor");
  assert.equal(visitor.weight, 2.5);
  assert.equal(visitor.host, "http://own:81");
  assert.deepEqual(visitor.tasks.filter((task) => !task.is_drawn).map((task) => task.name), ["broken"]);

  await page.getByLabel("All", {exact: true}).uncheck();
  assert.ok(await page.getByRole("button", {name: "Start"}).isDisabled());
  await page.getByLabel("Buyer", {exact: true}).check();
  await page.getByLabel("Host").fill(target);
  await page.getByRole("button", {name: "Start"}).click();
  await page.locator("#stop").waitFor();
  await users(7);
  const {per_class: shares} = await site.get("tasks");
  assert.deepEqual([shares.Buyer.ratio, shares.Visitor.ratio], [1, 0]);
  const now = await site.requests(5);
  assert.deepEqual(now.stats.map(({name}) => name), ["/buy", "Aggregated"]);
  await shows(page, "host", target);
  assert.deepEqual(page.faults, []);
});

test("the test that runs is changed, and keeps its class", async () => {
  const page = await openPage(site);

  await shows(page, "users", "7");
  await page.locator("#edit").click();
  const dialog = page.getByRole("dialog", {name: "Change the running test"});
  assert.equal(await dialog.getByLabel("Number of users (peak)").inputValue(), "7");
  assert.equal(await dialog.getByLabel("Host").count(), 0);
  await dialog.getByLabel("Number of users (peak)").fill("9");
  await dialog.getByLabel(/^Ramp up/).fill("100");
  await dialog.getByRole("button", {name: "Update"}).click();
  await dialog.waitFor({state: "detached"});
  await users(9);
  await shows(page, "users", "9");
  assert.equal((await site.get("tasks")).per_class.Buyer.ratio, 1);
  assert.deepEqual(page.faults, []);
});

test("reset empties the statistics, and stop ends the test", async () => {
  const page = await openPage(site);
  const before = (await site.requests(200)).stats.at(-1).num_requests;

  await page.locator("#reset").click();
  await eventually("fewer requests", async () =>
    (await site.get("stats/requests")).stats.at(-1).num_requests < before);
  await page.locator("#stop").click();
  await page.locator("#new").waitFor();
  await shows(page, "state", "stopped");
  assert.equal((await site.get("stats/requests")).state, "stopped");
  await page.locator("#reset").click();
  await eventually("no requests", async () =>
    (await page.locator("tfoot td").nth(2).textContent()) === "0");
  assert.deepEqual(page.faults, []);
});

test("a new test by the keyboard alone, with all classes and an end", async () => {
  const page = await openPage(site);

  await page.locator("#new").focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", {name: "Start a new test"});
  await dialog.waitFor();
  // The first field has the focus.
  await page.keyboard.press("Control+A");
  await page.keyboard.type("4");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("50");
  await dialog.getByLabel(/^Run time/).focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2s");
  await page.keyboard.press("Enter");
  await dialog.waitFor({state: "detached"});
  const settings = await site.get("settings");
  assert.deepEqual([settings.user_count, settings.spawn_rate, settings.run_time], [4, 50, 2]);
  await eventually("the end of the test", async () =>
    (await site.get("stats/requests")).state === "stopped");
  await shows(page, "state", "stopped");
  await page.locator("#tab-stats").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(new URL(page.url()).searchParams.get("tab"), "charts");
  await page.keyboard.press("Home");
  assert.equal(new URL(page.url()).searchParams.get("tab"), "stats");
  assert.deepEqual(page.faults, []);
});

test("Escape leaves a window without a change", async () => {
  const page = await openPage(site);

  await page.locator("#new").click();
  await page.getByRole("button", {name: "Settings of Buyer"}).click();
  await page.getByRole("dialog", {name: "Settings of Buyer"}).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", {name: "Settings of Buyer"}).waitFor({state: "detached"});
  await page.getByRole("dialog", {name: "Start a new test"}).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({state: "detached"});
  assert.equal((await site.get("stats/requests")).state, "stopped");
  assert.deepEqual(page.faults, []);
});

test("where a load shape rules there is nothing to enter and nothing to change", async () => {
  const shaped = await Site.start(["-H", target.replace("//", "//me:secret@"), "--stages", "1m:3:10"]);
  const page = await openPage(shaped);

  // What is always in sight is seen by others, too.
  await shows(page, "host", target);

  assert.match(await page.locator("form").textContent(), /The load shape --stages says/);
  assert.equal(await page.getByLabel("Number of users (peak)").count(), 0);
  await page.getByRole("button", {name: "Start"}).click();
  await page.locator("#stop").waitFor();
  assert.ok(await page.locator("#edit").isDisabled());
  await page.locator("#stop").click();
  await page.locator("#new").click();

  // Or not: then it is a test as any other.
  await page.getByLabel("Load shape").selectOption("Default");
  await page.getByLabel("Number of users (peak)").fill("2");
  await page.getByRole("button", {name: "Start"}).click();
  await page.locator("#edit:enabled").waitFor();
  assert.equal((await shaped.get("settings")).is_shaped, false);
  await page.locator("#edit").click();
  await page.getByLabel("Number of users (peak)").fill("1");
  await page.getByRole("button", {name: "Update"}).click();
  await eventually("1 user", async () => (await shaped.get("stats/requests")).user_count === 1);
  await page.locator("#stop").click();
  await page.locator("#new").waitFor();
  assert.deepEqual(page.faults, []);
});

test("options of the locustfile are fields of their kind", async () => {
  const page = await openPage(site);
  const values = async () => Object.fromEntries((await site.get("settings")).options
    .map(({name, value}) => [name, value]));

  assert.deepEqual(await values(), {loud: "false", pace: "3", flavour: "sour", passphrase: null});
  await page.locator("#new").click();
  await page.getByLabel("loud").check();
  await page.getByLabel("pace").fill("7");
  await page.getByLabel("flavour").selectOption("sweet");
  assert.equal(await page.getByLabel("passphrase").getAttribute("type"), "password");
  await page.getByLabel("Profile").fill("nightly");
  await page.getByLabel(/^Run time/).fill("10m");
  await page.getByRole("button", {name: "Start"}).click();
  await page.locator("#stop").waitFor();
  await eventually("the values", async () => {
    assert.deepEqual(await values(), {loud: "true", pace: "7", flavour: "sweet", passphrase: null});
    return true;
  });
  assert.equal((await site.get("settings")).profile, "nightly");
  // Also while it runs.
  await page.locator("#edit").click();
  await page.getByText("Advanced options").click();
  await page.getByLabel("loud").uncheck();
  await page.getByRole("button", {name: "Update"}).click();
  await eventually("the change", async () => (await values()).loud === "false");
  await page.locator("#stop").click();
  await page.locator("#new").waitFor();
  assert.deepEqual(page.faults, []);
});

test("tags choose what is drawn", async () => {
  const page = await openPage(site);

  await page.locator("#new").click();
  await page.getByRole("group", {name: "Only tasks with one of these tags"}).getByLabel("read").check();
  await page.getByRole("group", {name: "No tasks with these tags"}).getByLabel("slow").check();
  await page.getByLabel("Number of users (peak)").fill("3");
  await page.getByLabel(/^Run time/).fill("10m");
  await page.getByRole("button", {name: "Start"}).click();
  await page.locator("#stop").waitFor();
  await site.requests(10);
  assert.deepEqual((await site.get("stats/requests")).stats.map(({name}) => name), ["/", "Aggregated"]);
  await page.locator("#stop").click();
  await page.locator("#new").click();
  // What the last test was is seen, and can be taken back.
  await page.getByText(/1 of \d tasks/).waitFor();
  const only = page.getByRole("group", {name: "Only tasks with one of these tags"}).getByLabel("read");
  await only.check();
  await only.uncheck();
  await page.getByLabel(/^Run time/).fill("1s");
  await page.getByRole("button", {name: "Start"}).click();
  await eventually("all tasks", async () => (await site.get("settings")).user_classes
    .every(({tasks}) => tasks.every((task) => task.is_drawn)));
  assert.deepEqual(page.faults, []);
});
