package io.daosmesh.console.guard;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The record of what was done at the console: one line each, in a file of its own (etc/logback.xml). Any thread. */
public final class Audit {
    /** Not below io.daosmesh, whose levels administrators change at run time. */
    private static final Logger log = LoggerFactory.getLogger("daosmesh.audit");

    private Audit() {}

    /** What the node itself refused, on behalf of whoever is at the console. */
    public static void refused(String what, String reason) {
        refused(ConsoleUser.current(), what, reason);
    }

    static void refused(ConsoleUser user, String line, String reason) {
        record(user, line, "refused: " + reason);
    }

    static void record(ConsoleUser user, CharSequence line, String outcome) {
        log.info(
                "user={} address={} roles={} outcome=\"{}\" command=\"{}\"",
                Escapes.escape(user.name()),
                Escapes.escape(user.address()),
                Escapes.escape(String.join(",", user.roles())),
                Escapes.escape(outcome),
                Escapes.escape(Secrets.mask(line.toString())));
    }
}
