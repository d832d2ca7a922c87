/** The model's part of the story. It asks by turn, so a request that comes again gets the same answer. */
import { call, calls, say, type ScriptFunction, type ScriptRequest, toolOutcomes } from "../../src/testing/index.ts";
import { ANSWER, TURNS } from "./story.ts";

export const storyScript: ScriptFunction = (request, { turn }) => {
  switch (turn) {
    case 0:
      return call("gmail_fetch_mails", { max_results: 2, format: "minimal" });
    case 1:
      return calls([call("gmail_get_profile"), call("gmail_list_labels")]);
    case 2:
      return call("gmail_send_message", { to: "boss@example.com", subject: "The story", body: "It goes on." });
    case 3:
      return call("gmail_modify_message_labels", { message_id: firstMail(request), add_label_ids: ["STARRED"] });
    case 4:
      return calls([
        call("shop_pay", { to: "boss" }),
        call("shop_publish", { id: "draft 1" }),
        call("shop_post", { title: "The story" }),
      ]);
    case TURNS - 1:
      return say(ANSWER);
    default:
      throw new Error(`the story has ${TURNS} turns, and turn ${turn} was asked for`);
  }
};

function firstMail(request: ScriptRequest): string {
  const listed = toolOutcomes(request)[0]?.data as { messages?: { id?: string }[] } | undefined;
  const id = listed?.messages?.[0]?.id;
  if (id === undefined) throw new Error("no mail was listed");
  return id;
}
