/**
 * Tools that Scalekit does not have, made of one request each to the provider's own API: Gmail, Slack, GitHub, Salesforce, HubSpot.
 * Scalekit puts in the user's credentials; the model sees only what `output` says. Give them to an agent like any tool:
 *
 *     agent({ connections: ["gmail"], tools: [gmailListFilters, "gmail_fetch_mails"], … })
 *
 * Connection names are those of your Scalekit dashboard. The API proxy is off for Scalekit's built-in providers until you switch it on.
 */
import { z } from "zod";
import { type ProxyTool, proxyTool } from "../../src/index.ts";

const FILTER = z.object({
  id: z.string(),
  criteria: z.record(z.string(), z.json()),
  action: z.record(z.string(), z.json()),
});

export const gmailListFilters: ProxyTool = proxyTool({
  name: "gmail_list_filters",
  description: "List the filters that sort the user's incoming mail.",
  connection: "gmail",
  method: "GET",
  path: "/gmail/v1/users/me/settings/filters",
  input: z.object({}),
  // Gmail leaves the list out when it is empty.
  answer: z.object({ filter: z.array(FILTER).default([]) }),
  output: z.object({ filters: z.array(FILTER), count: z.number() }),
  project: ({ filter }) => ({ filters: filter, count: filter.length }),
});

export const gmailListUnread: ProxyTool = proxyTool({
  name: "gmail_list_unread",
  description: "List the ids of unread mails, newest first.",
  connection: "gmail",
  method: "GET",
  path: "/gmail/v1/users/me/messages",
  input: z.object({ max_results: z.int().min(1).max(100).default(10) }),
  query: ({ max_results }) => ({ q: "is:unread", maxResults: max_results }),
  output: z.object({ messages: z.array(z.object({ id: z.string(), threadId: z.string() })).default([]) }),
});

export const gmailCreateFilter: ProxyTool = proxyTool({
  name: "gmail_create_filter",
  description: "Make a filter that puts mails from one sender under a label and out of the inbox.",
  connection: "gmail",
  method: "POST",
  path: "/gmail/v1/users/me/settings/filters",
  input: z.object({ from: z.email(), label_id: z.string().min(1) }),
  body: ({ from, label_id }) => ({
    criteria: { from },
    action: { addLabelIds: [label_id], removeLabelIds: ["INBOX"] },
  }),
  output: z.object({ id: z.string() }),
});

export const slackPostMessage: ProxyTool = proxyTool({
  name: "slack_post_message",
  description: "Post a message to a Slack channel that the user is in.",
  connection: "slack",
  method: "POST",
  path: "/api/chat.postMessage",
  input: z.object({ channel: z.string().min(1), text: z.string().min(1).max(4_000), thread_ts: z.string().optional() }),
  body: ["channel", "text", "thread_ts"],
  // Slack says no with HTTP 200 and ok: false; that is an error here.
  output: z.object({ channel: z.string(), ts: z.string() }),
});

export const slackReadChannel: ProxyTool = proxyTool({
  name: "slack_read_channel",
  description: "Read the latest messages of a Slack channel, newest first.",
  connection: "slack",
  method: "GET",
  path: "/api/conversations.history",
  input: z.object({ channel: z.string().min(1), limit: z.int().min(1).max(50).default(20) }),
  query: ["channel", "limit"],
  output: z.object({
    messages: z.array(z.object({ ts: z.string(), user: z.string().optional(), text: z.string() })),
    has_more: z.boolean().default(false),
  }),
});

const REPO = { owner: z.string().min(1), repo: z.string().min(1) };
const GITHUB = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" };

export const githubOpenIssues: ProxyTool = proxyTool({
  name: "github_open_issues",
  description: "List a repository's open issues, newest first. Pull requests are left out.",
  connection: "github",
  method: "GET",
  path: "/repos/{owner}/{repo}/issues",
  headers: GITHUB,
  input: z.object({ ...REPO, labels: z.string().optional() }),
  query: ({ labels }) => ({ state: "open", per_page: 50, labels }),
  answer: z.array(
    z.object({
      number: z.number(),
      title: z.string(),
      labels: z.array(z.object({ name: z.string() })),
      pull_request: z.unknown().optional(),
    }),
  ),
  output: z.object({
    issues: z.array(z.object({ number: z.number(), title: z.string(), labels: z.array(z.string()) })),
  }),
  project: (all) => ({
    issues: all
      .filter((issue) => issue.pull_request === undefined)
      .map(({ number, title, labels }) => ({ number, title, labels: labels.map(({ name }) => name) })),
  }),
});

export const githubComment: ProxyTool = proxyTool({
  name: "github_comment",
  description: "Comment on an issue or a pull request.",
  connection: "github",
  method: "POST",
  path: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
  headers: GITHUB,
  input: z.object({ ...REPO, issue_number: z.int().min(1), body: z.string().min(1) }),
  body: ["body"],
  output: z.object({ id: z.number(), created_at: z.string() }),
});

const OPPORTUNITY = z.object({ Id: z.string(), Name: z.string(), Amount: z.number().nullable() });

export const salesforceOpportunities: ProxyTool = proxyTool({
  name: "salesforce_opportunities",
  description: "List the largest opportunities in a stage.",
  connection: "salesforce",
  method: "GET",
  path: "/services/data/v61.0/query",
  input: z.object({ stage: z.string().min(1).max(80), limit: z.int().min(1).max(50).default(10) }),
  query: ({ stage, limit }) => ({
    q: `SELECT Id, Name, Amount FROM Opportunity WHERE StageName = '${soql(stage)}' ORDER BY Amount DESC LIMIT ${limit}`,
  }),
  answer: z.object({ records: z.array(OPPORTUNITY), done: z.boolean() }),
  output: z.object({ opportunities: z.array(OPPORTUNITY), more: z.boolean() }),
  project: ({ records, done }) => ({ opportunities: records, more: !done }),
});

/** A text inside the quotes of a query: what a model writes must not end them. */
function soql(text: string): string {
  return text.replaceAll(/[\\'"]/g, (character) => `\\${character}`).replaceAll(/\s/g, " ");
}

export const hubspotSearchDeals: ProxyTool = proxyTool({
  name: "hubspot_search_deals",
  description: "Search deals by words.",
  connection: "hubspot",
  method: "POST",
  path: "/crm/v3/objects/deals/search",
  // A search is a POST there, and changes nothing.
  effect: "read",
  input: z.object({ query: z.string(), limit: z.int().min(1).max(50).default(10) }),
  body: ({ query, limit }) => ({ query, limit, properties: ["dealname", "amount", "dealstage"] }),
  answer: z.object({
    total: z.number(),
    results: z.array(z.object({ id: z.string(), properties: z.record(z.string(), z.string().nullable()) })),
  }),
  output: z.object({
    total: z.number(),
    deals: z.array(z.object({ id: z.string(), name: z.string(), amount: z.string(), stage: z.string() })),
  }),
  project: ({ total, results }) => ({
    total,
    deals: results.map(({ id, properties: { dealname, amount, dealstage } }) => {
      return { id, name: dealname ?? "", amount: amount ?? "", stage: dealstage ?? "" };
    }),
  }),
});

export const hubspotMoveDeal: ProxyTool = proxyTool({
  name: "hubspot_move_deal",
  description: "Move a deal to another stage.",
  connection: "hubspot",
  method: "PATCH",
  path: "/crm/v3/objects/deals/{deal_id}",
  // It sets a state: once more changes nothing more.
  effect: "idempotent",
  input: z.object({ deal_id: z.string().min(1), stage: z.string().min(1) }),
  body: ({ stage }) => ({ properties: { dealstage: stage } }),
  output: z.object({ id: z.string() }),
});
