package io.daosmesh.console.guard;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.felix.service.command.CommandSession;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;

/**
 * A command that was given as such, not typed into the line editor. Karaf never closes the shell session that it makes for one:
 * its threads, four for each command, would wait a minute for more. This closes it when the command has ended. Threads: those of
 * the ssh server, and the command's own.
 */
final class SentCommand implements Command {
    /** The session whose lines this thread executes: of a sent command it is the thread that also tells its end. */
    private static final ThreadLocal<CommandSession> EXECUTED = new ThreadLocal<>();

    private final Command inner;

    SentCommand(Command inner) {
        this.inner = inner;
    }

    /** To be told of every line that a session executes, by the thread that has it executed. */
    static void executes(CommandSession session) {
        EXECUTED.set(session);
    }

    private static void close() {
        CommandSession session = EXECUTED.get();
        EXECUTED.remove();
        if (session != null) session.close();
    }

    @Override
    public void setExitCallback(ExitCallback exit) {
        inner.setExitCallback((status, message, isClosing) -> {
            close();
            exit.onExit(status, message, isClosing);
        });
    }

    @Override
    public void setInputStream(InputStream in) {
        inner.setInputStream(in);
    }

    @Override
    public void setOutputStream(OutputStream out) {
        inner.setOutputStream(out);
    }

    @Override
    public void setErrorStream(OutputStream err) {
        inner.setErrorStream(err);
    }

    @Override
    public void start(ChannelSession channel, Environment environment) throws IOException {
        inner.start(channel, environment);
    }

    @Override
    public void destroy(ChannelSession channel) throws Exception {
        inner.destroy(channel);
    }
}
