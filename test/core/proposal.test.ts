/** What is proposed for a tool by its name and definition; nothing that could write may be proposed as read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { propose } from "../../src/core/proposal.ts";

const ids = { type: "object", properties: { message_id: {} }, required: ["message_id"] };
const row = { type: "object", properties: { sheet_id: {}, row_index: {} }, required: ["sheet_id"] };
const text = { type: "object", properties: { id: {}, text: {} }, required: ["id", "text"] };

const TOOLS: readonly (readonly [name: string, description: string, parameters: object, effect: string])[] = [
  ["gmail_fetch_mails", "Fetch mails of the user.", {}, "read"],
  ["gmail_list_labels", "All labels.", {}, "read"],
  ["notion_page_get", "Retrieves a page.", {}, "read"],
  ["github_issues_list", "Lists issues.", {}, "read"],
  ["github_pull_request_get", "One pull request.", {}, "read"],
  ["shop_get_order", "One order.", {}, "read"],
  ["HubSpot-search-contacts", "Finds contacts.", {}, "read"],
  ["crm_get_or_create_contact", "A contact.", {}, "unsafe"],
  ["crm_get_contact", "Get or create a contact.", {}, "unsafe"],
  ["crm_find_contact", "Creates the contact unless it is there.", {}, "unsafe"],
  ["trello_list_rename", "Renames a list.", {}, "unsafe"],
  ["mail_add_to_list", "A member.", {}, "unsafe"],
  ["slack_search_and_send", "Search.", {}, "unsafe"],
  ["db_query", "Runs a statement.", {}, "unsafe"],
  ["db_run_query", "Lists rows.", {}, "unsafe"],
  ["gmail_list_send_as", "Addresses.", {}, "unsafe"],
  ["gmail_send_message", "Sends a mail.", {}, "unsafe"],
  ["gmail_trash_message", "Moves a message to the trash.", ids, "idempotent"],
  ["gmail_untrash_message", "Takes it back.", ids, "idempotent"],
  ["drive_delete_file", "Deletes a file.", ids, "idempotent"],
  ["sheet_delete_row", "Deletes a row.", row, "unsafe"],
  ["drive_delete_file", "Deletes a file.", text, "unsafe"],
  ["drive_delete_all", "Deletes all.", {}, "unsafe"],
  ["gmail_update_draft", "Replaces a draft.", ids, "unsafe"],
  ["list", "All.", {}, "unsafe"],
  ["", "", {}, "unsafe"],
  ["x_y_z", "Does it.", {}, "unsafe"],
];

for (const [name, description, parameters, effect] of TOOLS)
  test(`${name || "nameless"}, "${description}": ${effect}`, () => {
    const proposal = propose({ name, description, parameters: { ...parameters }, hash: "" });
    assert.equal(proposal.effect, effect, proposal.reason);
    assert.notEqual(proposal.reason, "");
  });
