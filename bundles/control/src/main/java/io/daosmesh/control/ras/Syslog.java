package io.daosmesh.control.ras;

import io.daosmesh.model.ras.RasEvent.Severity;

/** A syslog daemon that lines go to, facility daemon. Any thread, never waits. */
interface Syslog extends AutoCloseable {
    int DAEMON = 3;

    /** A line that cannot be sent is only in the node's log. */
    void send(Line line);

    @Override
    void close();

    /**
     * One event.
     *
     * @param id message id of RFC 5424
     * @param time ISO 8601 with microseconds and offset
     */
    record Line(Severity severity, String id, String time, String host, long pid, String text) {
        int priority() {
            return Syslog.priority(severity);
        }
    }

    static int priority(Severity severity) {
        int level = switch (severity) {
            case ERROR -> 3;
            case WARNING -> 4;
            case NOTICE -> 5;
        };
        return DAEMON * 8 + level;
    }
}
