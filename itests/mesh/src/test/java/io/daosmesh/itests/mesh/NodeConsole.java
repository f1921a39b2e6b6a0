package io.daosmesh.itests.mesh;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ChannelShell;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.server.forward.AcceptAllForwardingFilter;

/** Logs in to the console of a node with a plain ssh client. Any thread. */
final class NodeConsole implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);
    private static final int THREADS_BYTES_MAX = 200_000;

    private final SshClient client = SshClient.setUpDefaultClient();
    private final int port;
    private final long pid;

    /** What came back, colours taken out. */
    record Answer(int status, String text) {
        /** True when the node said no, not when the command failed by itself. */
        boolean isRefused() {
            return text.contains("Command not found")
                    || text.contains("Insufficient credentials")
                    || text.contains("refused for viewers and managers");
        }
    }

    /** @param pid of the node, whose threads are told of when it does not answer */
    NodeConsole(int port, long pid) {
        this.port = port;
        this.pid = pid;
        client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
        client.setForwardingFilter(AcceptAllForwardingFilter.INSTANCE);
        client.start();
    }

    ClientSession login(String user, String password) throws IOException {
        ClientSession session =
                client.connect(user, "127.0.0.1", port).verify(ANSWER_MAX).getSession();
        session.addPasswordIdentity(password);
        session.auth().verify(ANSWER_MAX);
        return session;
    }

    /** One command, as {@code ssh HOST COMMAND} sends it. */
    Answer run(String user, String password, String command) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ClientSession session = login(user, password);
                ChannelExec channel = session.createExecChannel(command)) {
            channel.setIn(new ByteArrayInputStream(new byte[0]));
            channel.setOut(out);
            channel.setErr(out);
            channel.open().verify(ANSWER_MAX);
            await(channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), ANSWER_MAX), command);
            Integer status = channel.getExitStatus();
            return new Answer(status == null ? -1 : status, plain(out));
        } catch (IOException e) {
            throw new UncheckedIOException(command + threads(), e);
        }
    }

    /** Lines typed into the line editor; everything that came back until it ended. */
    String type(String user, String password, List<String> lines) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ClientSession session = login(user, password);
                ChannelShell channel = session.createShellChannel()) {
            channel.setOut(out);
            channel.setErr(out);
            channel.open().verify(ANSWER_MAX);
            OutputStream keys = channel.getInvertedIn();
            for (String line : lines) keys.write((line + "\r").getBytes(StandardCharsets.UTF_8));
            keys.write("logout\r".getBytes(StandardCharsets.UTF_8));
            keys.flush();
            await(channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), ANSWER_MAX), lines.toString());
            return plain(out);
        } catch (IOException e) {
            throw new UncheckedIOException(lines + threads(), e);
        }
    }

    private static void await(java.util.Set<ClientChannelEvent> events, String what) throws IOException {
        if (events.contains(ClientChannelEvent.TIMEOUT))
            throw new IOException("no end within " + ANSWER_MAX + ": " + what);
    }

    /** What the node was doing while it should have answered. */
    private String threads() {
        try {
            Process jstack = new ProcessBuilder("jstack", Long.toString(pid))
                    .redirectErrorStream(true)
                    .start();
            String text = new String(jstack.getInputStream().readNBytes(THREADS_BYTES_MAX), StandardCharsets.UTF_8);
            jstack.destroy();
            return "\nthreads of the node:\n" + text;
        } catch (IOException e) {
            return "";
        }
    }

    private static String plain(ByteArrayOutputStream out) {
        return out.toString(StandardCharsets.UTF_8).replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "");
    }

    @Override
    public void close() {
        client.stop();
    }
}
