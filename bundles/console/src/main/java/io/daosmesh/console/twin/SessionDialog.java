package io.daosmesh.console.twin;

import io.daosmesh.admin.command.Dialog;
import io.daosmesh.console.guard.ConsoleUser;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.felix.service.command.Process;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** A session of the console, or one command of a pipe in it. Owner: the thread of the command. */
final class SessionDialog implements Dialog {
    private static final int FAILURE_BYTES_MAX = 500;

    private final Session session;
    private final String user = ConsoleUser.current().name();
    private final PrintStream out;
    private final Begin begin;
    private final PrintStream err;

    private SessionDialog(Session session, PrintStream out, PrintStream err) {
        this.session = session;
        this.out = out;
        begin = new Begin(err);
        this.err = new PrintStream(begin, true, StandardCharsets.UTF_8);
    }

    /**
     * Errors go to the terminal, whatever the output is piped into; with JSON they are in the document.
     *
     * @param isJson nothing but the document may be seen
     */
    static SessionDialog of(Session session, boolean isJson) {
        Process process = Process.Utils.current();
        PrintStream terminal = session.getConsole();
        PrintStream err = isJson ? new PrintStream(OutputStream.nullOutputStream()) : terminal;
        return new SessionDialog(session, process == null ? terminal : process.out(), err);
    }

    @Override
    public PrintStream out() {
        return out;
    }

    @Override
    public PrintStream err() {
        return err;
    }

    @Override
    public String user() {
        return user;
    }

    /** The first line that was told as an error. */
    String failure() {
        return begin.text().lines().findFirst().orElse("the command failed");
    }

    void flush() {
        out.flush();
        err.flush();
    }

    @Override
    public @Nullable String ask(String prompt) {
        if (session.getTerminal() == null) return null;
        try {
            return session.readLine(prompt, null);
        } catch (IOException | RuntimeException e) { // no line editor in a command that was sent as such; or Ctrl-C
            return null;
        }
    }

    /** Passes everything on and keeps the beginning, for the record of what was done at the console. */
    private static final class Begin extends OutputStream {
        private final PrintStream to;
        private final byte[] kept = new byte[FAILURE_BYTES_MAX];
        private int count;

        Begin(PrintStream to) {
            this.to = to;
        }

        @Override
        public void write(int b) {
            if (count < kept.length) kept[count++] = (byte) b;
            to.write(b);
        }

        @Override
        public void write(byte[] bytes, int from, int length) {
            for (int i = 0; i < length && count < kept.length; i++) kept[count++] = bytes[from + i];
            to.write(bytes, from, length);
        }

        @Override
        public void flush() {
            to.flush();
        }

        String text() {
            return new String(kept, 0, count, StandardCharsets.UTF_8);
        }
    }
}
