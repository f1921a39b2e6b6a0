package io.daosmesh.console.guard;

import org.apache.felix.service.command.CommandSession;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.reader.impl.history.DefaultHistory;

/**
 * Lets only plain lines out of the line editor of an interactive session; what is not plain becomes an {@code echo} of the
 * reason. Owner: the session's thread.
 */
final class LineGate implements Parser {
    private static final String EDITOR = ".jline.reader";

    private final Parser inner;

    private LineGate(Parser inner) {
        this.inner = inner;
    }

    /** To be called before the session's first line is read; a session without line editor is left alone. */
    static void install(CommandSession session) {
        if (!(session.get(EDITOR) instanceof LineReaderImpl editor) || editor.getParser() instanceof LineGate) return;
        editor.setParser(new LineGate(editor.getParser()));
        // the node keeps one history of all its users: what an administrator typed is none of the others' business
        editor.setVariable(LineReader.HISTORY_FILE, null);
        editor.setHistory(new DefaultHistory());
    }

    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
        if (context == ParseContext.COMPLETE) return inner.parse(line, cursor, context);
        String problem = PlainLine.of(line).problem();
        if (problem == null) return inner.parse(line, cursor, context);
        if (context != ParseContext.ACCEPT_LINE) return inner.parse("", 0, context);
        Audit.refused(ConsoleUser.current(), line, problem);
        return inner.parse("shell:echo '" + refusal(problem).replace("'", "\"") + "'", 0, context);
    }

    static String refusal(String problem) {
        return "ERROR: refused for viewers and managers: " + problem;
    }
}
