/**
 * How the closing page tells the app's other pages that an account is connected, so that the one that opened it can look again.
 * The message is a hint, `{ type: "errand:connected", connection }`, without a name or a secret: a page that gets it asks its own
 * server. It goes to the app's own origin only: by BroadcastChannel `errand` to all its pages, and to `window.opener`, which
 * providers that isolate their pages cut off.
 *
 * The text is fixed, so that its hash stands in the Content-Security-Policy; what changes stands in an attribute.
 */
export const TELL_OPENER = `
const message = { type: "errand:connected", connection: document.documentElement.dataset.connection };
if (window.opener) window.opener.postMessage(message, location.origin);
const channel = new BroadcastChannel("errand");
channel.postMessage(message);
channel.close();
`;
