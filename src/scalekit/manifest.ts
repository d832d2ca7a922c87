/**
 * What the tools of Scalekit's connectors do to the world. How it was reviewed: each name against its description in Scalekit's
 * catalogue (facts/seeds.md C.6) and the provider's own reference, asking one question: after a call whose answer was lost, may it be
 * made once more with the same arguments?
 * - `read`: changes nothing. (That a message fetched by an API counts as read is not so at these providers.)
 * - `idempotent`: sets a state, or takes away what may be gone already; a repeat changes nothing more. A repeat may answer with an
 *   error (deleted already), which tells the truth.
 * - Not listed is `unsafe`: it makes or sends something new each time (messages, drafts, comments, events, labels), and none of
 *   these takes a key of ours. `gmail_send_draft` is unsafe too: Gmail does not promise that a second send of the draft fails.
 */
import type { Effect } from "../core/effects.ts";

const READ = [
  "gmail_fetch_mails",
  "gmail_get_attachment_by_id",
  "gmail_get_draft",
  "gmail_get_message_by_id",
  "gmail_get_profile",
  "gmail_get_thread_by_id",
  "gmail_get_vacation_settings",
  "gmail_list_drafts",
  "gmail_list_filters",
  "gmail_list_labels",
  "gmail_list_send_as",
  "gmail_list_threads",
  "gmail_search_people",
  "github_check_runs_list_for_ref",
  "github_issue_comments_list",
  "github_issue_get",
  "github_issues_list",
  "github_pull_request_files_list",
  "github_pull_request_get",
  "github_pull_request_reviews_list",
  "github_pull_requests_list",
  "github_repo_get",
  "github_search_issues",
  "github_user_get_authenticated",
  "github_user_repos_list",
  "googlecalendar_get_event_by_id",
  "googlecalendar_list_calendars",
  "googlecalendar_list_events",
  "googlecalendar_query_freebusy",
  "googlecalendar_search_events",
  "slack_auth_test",
  "slack_fetch_conversation_history",
  "slack_get_conversation_info",
  "slack_get_conversation_replies",
  "slack_get_user_info",
  "slack_list_channels",
  "slack_list_users",
  "slack_lookup_user_by_email",
  "slack_search_messages",
] as const;

const IDEMPOTENT = [
  "gmail_batch_modify_messages",
  "gmail_delete_draft",
  "gmail_delete_label",
  "gmail_modify_message_labels",
  "gmail_modify_thread_labels",
  "gmail_trash_message",
  "gmail_trash_thread",
  "gmail_untrash_message",
  // Replaces the draft's whole content.
  "gmail_update_draft",
  "googlecalendar_delete_event",
  // Slack refuses the second one: already_reacted.
  "slack_add_reaction",
  "slack_delete_message",
  "slack_join_conversation",
  // Replaces the message's text.
  "slack_update_message",
] as const;

const EFFECTS: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ...READ.map((name) => [name, "read"] as const),
  ...IDEMPOTENT.map((name) => [name, "idempotent"] as const),
]);

/** The reviewed effect of a tool; whatever nobody has reviewed is `unsafe`. */
export function effectOf(tool: string): Effect {
  return EFFECTS.get(tool) ?? "unsafe";
}
