package io.daosmesh.model.ras;

import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.RasEventMessage;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/**
 * The one line an event is written as, in logs and by tools alike. Source: DAOS administration guide, RAS events: fixed order,
 * fields without a value left out, pid and tid always there; an id has up to 64 characters, other texts up to 128, a longer
 * one ends with {@code $}. What would end a value or a line is shown by its number, <code>&#92;u005d</code>, and a backslash is doubled: a
 * value holds no bracket that closes, so that a line is what it seems and reads back.
 */
public final class RasLine {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSxx", Locale.ROOT);
    private static final List<String> ORDER =
            List.of("pid", "tid", "hwid", "rank", "inc", "jobid", "pool", "cont", "objid", "ctlop", "data");
    private static final int ID_MAX = 64;
    private static final int TEXT_MAX = 128;

    private RasLine() {}

    public static RasEventMessage toWire(RasEvent event, long sequence) {
        return RasEventMessage.newBuilder()
                .setId(event.id().label())
                .setType(event.id().type().toWire())
                .setSeverity(event.severity().toWire())
                .setTimestampUs(event.timestamp().getEpochSecond() * 1_000_000L
                        + event.timestamp().getNano() / 1_000)
                .setHost(event.host())
                .setMessage(event.message())
                .putAllFields(event.fields())
                .setSequence(sequence)
                .build();
    }

    /** {@code &&& RAS EVENT id: [swim_rank_dead] ts: [...] ...}. */
    public static String of(RasEventMessage event, ZoneId zone) {
        StringBuilder line = new StringBuilder(256).append("&&& RAS EVENT");
        append(line, "id", event.getId(), ID_MAX);
        append(line, "ts", STAMP.format(time(event, zone)), TEXT_MAX);
        append(line, "host", event.getHost(), TEXT_MAX);
        append(line, "type", type(event), TEXT_MAX);
        append(line, "sev", severity(event), TEXT_MAX);
        append(line, "msg", event.getMessage(), TEXT_MAX);
        for (String field : ORDER) {
            String value =
                    event.getFieldsMap().getOrDefault(field, field.equals("pid") || field.equals("tid") ? "0" : "");
            if (!value.isEmpty()) append(line, field.equals("cont") ? "container" : field, value, TEXT_MAX);
        }
        return line.toString();
    }

    public static OffsetDateTime time(RasEventMessage event, ZoneId zone) {
        long us = event.getTimestampUs();
        return Instant.ofEpochSecond(us / 1_000_000, us % 1_000_000 * 1_000)
                .atZone(zone)
                .toOffsetDateTime();
    }

    /** {@code STATE_CHANGE} or {@code INFO_ONLY}; a number this release does not know stays a number. */
    public static String type(RasEventMessage event) {
        return event.getType() == RasEventMessage.Type.UNRECOGNIZED
                ? String.valueOf(event.getTypeValue())
                : event.getType().name();
    }

    public static String severity(RasEventMessage event) {
        return event.getSeverity() == RasEventMessage.Severity.UNRECOGNIZED
                ? String.valueOf(event.getSeverityValue())
                : event.getSeverity().name();
    }

    private static void append(StringBuilder line, String name, String value, int max) {
        line.append(' ').append(name).append(": [");
        int start = line.length();
        int last = start;
        for (int i = 0;
                i < value.length() && line.length() - start <= max;
                i += Character.charCount(value.codePointAt(i))) {
            if (line.length() - start < max) last = line.length();
            append(line, value.codePointAt(i));
        }
        // whole characters only: half an escape would be another text
        if (line.length() - start > max) line.replace(last, line.length(), "$");
        line.append(']');
    }

    private static void append(StringBuilder line, int c) {
        if (c == ']') line.append("\\u005d");
        else line.append(Printable.of(Character.toString(c)));
    }
}
