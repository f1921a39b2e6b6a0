package io.daosmesh.cli.start;

/**
 * How a message and its stack trace are written into a log: they hold what peers have sent, and no peer may begin a line or
 * move a cursor. A line end is written as {@code \n}, every other character that is no text as a question mark; in a stack trace
 * a line end stays where one of the trace's own lines follows. The same as in a node's logback.xml. Immutable.
 */
final class LogText {
    static final String PATTERN =
            "%replace(%replace(%msg){'[\\n\\r]', '\\\\n'}){'[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]', '?'}%n"
                    + "%replace(%replace(%ex){'[\\n\\r](?!\\t+at |\\t+\\.\\.\\. |\\t*Suppressed: |\\t*Caused by: |\\t*Wrapped by: |\\z)',"
                    + " '\\\\n'}){'[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\\n\\t]]', '?'}";

    private LogText() {}
}
