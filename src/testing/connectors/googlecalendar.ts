/** Google Calendar's tools on a Calendar. The list answers `events` and `next_page_token`, as Scalekit's does. */
import type { JsonObject } from "@bufbuild/protobuf";
import { Calendar, momentOf, type CalendarEvent } from "./calendar.ts";
import { defineConnector, type Connector, type ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { flag, integer, list, text } from "./input.ts";

const CALENDAR: JsonObject = { type: "string", description: "Calendar id, default primary" };
const EVENT: JsonObject = { type: "string", description: "The event's id" };
const SPAN: Readonly<Record<string, JsonObject>> = {
  time_min: { type: "string", description: "Only events that end after this moment (RFC 3339)" },
  time_max: { type: "string", description: "Only events that start before this moment (RFC 3339)" },
};
const LIST: Readonly<Record<string, JsonObject>> = {
  ...SPAN,
  query: { type: "string", description: "Only events with this text" },
  max_results: { type: "integer", description: "How many at most: 1 to 250, default 10" },
  page_token: { type: "string", description: "next_page_token of the page before" },
  single_events: { type: "boolean", description: "Whether recurring events are shown one by one" },
  order_by: { type: "string", description: "startTime (needs single_events) or updated" },
};

const TOOLS: readonly ToolSpec<Calendar>[] = [
  {
    name: "googlecalendar_list_calendars",
    description: "List the user's calendars.",
    parameters: {},
    versioned: true,
    run: (_input, { calendarIds, address }) => ({
      calendars: calendarIds.map((id) => ({
        id: id === "primary" ? address : id,
        summary: id,
        primary: id === "primary",
      })),
    }),
  },
  {
    name: "googlecalendar_list_events",
    description: "List events of a calendar by start, in a span of time.",
    parameters: { calendar_id: CALENDAR, ...LIST },
    versioned: true,
    run: listEvents,
  },
  {
    name: "googlecalendar_search_events",
    description: "Search events of a calendar.",
    parameters: { calendar_id: CALENDAR, ...LIST },
    required: ["calendar_id"],
    versioned: true,
    run: listEvents,
  },
  {
    name: "googlecalendar_get_event_by_id",
    description: "Get one event.",
    parameters: { event_id: EVENT, calendar_id: CALENDAR },
    required: ["event_id"],
    versioned: true,
    run(input, calendar) {
      const event = needEvents(input, calendar).find(({ id }) => id === text(input, "event_id"));
      if (event === undefined) throw notFound();
      return eventResource(event, calendar);
    },
  },
  {
    name: "googlecalendar_create_event",
    description: "Put an event into a calendar.",
    parameters: {
      calendar_id: CALENDAR,
      summary: { type: "string", description: "Title" },
      start_datetime: { type: "string", description: "Start (RFC 3339, or without offset together with timezone)" },
      event_duration_hour: { type: "integer", description: "Length, whole hours" },
      event_duration_minutes: { type: "integer", description: "Length, minutes; default 30" },
      description: { type: "string", description: "Text" },
      location: { type: "string", description: "Place" },
      attendees_emails: { type: "array", items: { type: "string" }, description: "Whom to invite" },
      create_meeting_room: { type: "boolean", description: "Whether to add a video meeting" },
      timezone: { type: "string", description: "IANA time zone" },
    },
    required: ["summary", "start_datetime"],
    versioned: true,
    run: createEvent,
  },
  {
    name: "googlecalendar_delete_event",
    description: "Delete an event.",
    parameters: { event_id: EVENT, calendar_id: CALENDAR },
    required: ["event_id"],
    versioned: true,
    run(input, calendar) {
      if (!calendar.delete(text(input, "calendar_id"), text(input, "event_id") ?? "")) throw notFound();
      return {};
    },
  },
  {
    name: "googlecalendar_query_freebusy",
    description: "Tell when calendars are busy.",
    parameters: {
      ...SPAN,
      calendar_ids: { type: "array", items: { type: "string" }, description: "Calendar ids" },
    },
    required: ["calendar_ids", "time_min", "time_max"],
    versioned: true,
    run(input, calendar) {
      const calendars = list(input, "calendar_ids").map((id): [string, JsonObject] => {
        const events = calendar.events(id);
        if (events === undefined) return [id, { errors: [{ domain: "global", reason: "notFound" }], busy: [] }];
        return [id, { busy: within(input, events).map(({ start, end }) => ({ start, end })) }];
      });
      return { calendars: Object.fromEntries(calendars) };
    },
  },
];

export const googlecalendar: Connector = defineConnector<Calendar>({
  name: "googlecalendar",
  title: "Google Calendar",
  scopes: ["https://www.googleapis.com/auth/calendar"],
  tools: TOOLS,
  world: ({ identifier, now }) =>
    new Calendar(identifier.includes("@") ? identifier : `${identifier}@example.com`, now),
});

function notFound(): ToolFailure {
  return new ToolFailure(404, "notFound", "Not Found");
}

function needEvents(input: JsonObject, calendar: Calendar): readonly CalendarEvent[] {
  const events = calendar.events(text(input, "calendar_id"));
  if (events === undefined) throw notFound();
  return events;
}

function listEvents(input: JsonObject, calendar: Calendar): JsonObject {
  if (text(input, "order_by") === "startTime" && !flag(input, "single_events")) {
    throw new ToolFailure(400, "badRequest", "The requested ordering is not available for the particular query.");
  }
  const query = text(input, "query")?.toLowerCase() ?? "";
  const found = within(input, needEvents(input, calendar)).filter((event) =>
    [event.summary, event.description, event.location, ...(event.attendees ?? [])].some((part) =>
      part?.toLowerCase().includes(query),
    ),
  );
  const size = integer(input, "max_results", 10, [1, 250]);
  const start = integer(input, "page_token", 0, [0, found.length]);
  const events = found.slice(start, start + size).map((event) => eventResource(event, calendar));
  return { events, next_page_token: start + size < found.length ? String(start + size) : "" };
}

function createEvent(input: JsonObject, calendar: Calendar): JsonObject {
  const start = momentOf(text(input, "start_datetime") ?? "");
  if (Number.isNaN(start)) throw new ToolFailure(400, "badRequest", "Invalid start time.");
  const hours = integer(input, "event_duration_hour", 0, [0, 1000]);
  const minutes = integer(input, "event_duration_minutes", hours === 0 ? 30 : 0, [0, 59]);
  const [description, location] = [text(input, "description"), text(input, "location")];
  const created = calendar.create(text(input, "calendar_id"), {
    summary: text(input, "summary") ?? "",
    start: new Date(start).toISOString(),
    end: new Date(start + (hours * 60 + minutes) * 60_000).toISOString(),
    attendees: list(input, "attendees_emails"),
    ...(description === undefined ? {} : { description }),
    ...(location === undefined ? {} : { location }),
    ...(flag(input, "create_meeting_room") ? { meetingUrl: "https://meet.example/new" } : {}),
  });
  if (created === undefined) throw notFound();
  return eventResource(created, calendar);
}

function within(input: JsonObject, events: readonly CalendarEvent[]): readonly CalendarEvent[] {
  const moment = (name: string, fallback: number): number => {
    const given = text(input, name);
    if (given === undefined) return fallback;
    const parsed = momentOf(given);
    if (Number.isNaN(parsed)) throw new ToolFailure(400, "badRequest", `Invalid value for ${name}`);
    return parsed;
  };
  const [from, to] = [moment("time_min", Number.NEGATIVE_INFINITY), moment("time_max", Number.POSITIVE_INFINITY)];
  return events.filter(({ start, end }) => momentOf(end) > from && momentOf(start) < to);
}

function eventResource(event: CalendarEvent, calendar: Calendar): JsonObject {
  const time = (value: string): JsonObject => (value.length === 10 ? { date: value } : { dateTime: value });
  const resource: JsonObject = {
    id: event.id,
    status: event.status ?? "confirmed",
    summary: event.summary,
    start: time(event.start),
    end: time(event.end),
    organizer: { email: event.organizer ?? calendar.address },
    attendees: (event.attendees ?? []).map((email) => ({ email, responseStatus: "needsAction" })),
    htmlLink: `https://calendar.example/event?eid=${event.id}`,
  };
  if (event.description !== undefined) resource["description"] = event.description;
  if (event.location !== undefined) resource["location"] = event.location;
  if (event.meetingUrl !== undefined) resource["hangoutLink"] = event.meetingUrl;
  return resource;
}
