// Who looks at the page: a login where the historian asks for one, the first administrator, another password, sign out.

import { byId, element } from "/static/dom.js";
import { getJson, postJson } from "/static/http.js";
import { words } from "/static/i18n.js";

const UNKNOWN = 401;

/** Whether the page may be shown; if not, a form stands in its place, and the page starts anew after it. */
export async function isKnown() {
  let session;
  try {
    session = await getJson(["session"]);
  } catch (error) {
    if (error.status !== UNKNOWN) return true; // the page itself tells what does not answer
    showForm("login");
    return false;
  }
  if (session.must_change_password) {
    showForm("password", session);
    return false;
  }
  if (session.kind === "person") showWho(session);
  return true;
}

const FORMS = {
  login: { fields: ["name", "password"], send: (given) => postJson(["login"], given) },
  setup: { fields: ["token", "name", "password"], send: (given) => postJson(["setup"], given) },
  password: {
    fields: ["present", "new"],
    send: (given, session) => postJson(["password"], given, session.csrf_token),
  },
};
const SECRETS = { password: "current-password", present: "current-password", new: "new-password", token: "off" };

function showForm(kind, session = null) {
  const dialog = byId("login");
  const problem = element("p", { class: "problem", role: "alert" });
  const fields = FORMS[kind].fields.map((name) => {
    const isSecret = name in SECRETS;
    const autocomplete = kind === "setup" && name === "password" ? "new-password" : SECRETS[name] ?? "username";
    const input = element("input", { name, type: isSecret ? "password" : "text", autocomplete, required: true });
    return element("label", {}, words(`login_${name}`), input);
  });
  const button = element("button", { type: "submit" }, words(`login_do_${kind}`));
  const form = element("form", {
    submit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await FORMS[kind].send(Object.fromEntries(new FormData(form)), session);
        location.reload();
      } catch (error) {
        problem.textContent = error.message;
        button.disabled = false;
      }
    },
  }, element("h2", { id: "login_title" }, words(`login_title_${kind}`)), ...fields, problem, button, otherForm(kind));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

function otherForm(kind) {
  const other = { login: "setup", setup: "login" }[kind];
  if (other === undefined) return null;
  return element("button", { type: "button", class: "plain", click: () => showForm(other) }, words(`login_title_${other}`));
}

function showWho(session) {
  const leave = async () => {
    await postJson(["logout"], {}, session.csrf_token);
    location.reload();
  };
  byId("who").replaceChildren(
    session.display_name || session.name,
    element("button", { type: "button", click: () => showForm("password", session) }, words("login_title_password")),
    element("button", { type: "button", click: leave }, words("sign_out")),
  );
}
