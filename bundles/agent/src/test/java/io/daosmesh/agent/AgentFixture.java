package io.daosmesh.agent;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.wire.AgentHandleMessage;
import io.daosmesh.model.wire.AgentHandlesMessage;
import io.daosmesh.model.wire.AgentReply;
import io.daosmesh.model.wire.AgentRequest;
import io.daosmesh.model.wire.Empty;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent over real sockets before a system in memory. */
@Timeout(120)
abstract class AgentFixture {
    static final Duration LONG = Duration.ofSeconds(20);

    /** Limits with a patience that a test can wait for. */
    static final AgentLimits LIMITS = new AgentLimits(2400, 1000, 1800, 8, 1 << 20, Duration.ofMillis(700), 1024, 8192);

    @TempDir
    Path folder;

    final FakeSystem system = new FakeSystem();
    final FakeSystem.OpenIdentity identity = new FakeSystem.OpenIdentity();
    final List<AutoCloseable> toClose = new ArrayList<>();

    @BeforeEach
    void openFolder() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void closeAll() throws Exception {
        for (int i = toClose.size() - 1; i >= 0; i--) toClose.get(i).close();
    }

    Agent.Settings settings() {
        return new Agent.Settings(
                folder.resolve("run"),
                List.of(FakeSystem.address(0), FakeSystem.address(1)),
                "here",
                Map.of(),
                new Agent.Caching(false, Duration.ZERO, Duration.ZERO),
                true,
                Duration.ofHours(1),
                LIMITS);
    }

    Agent start() {
        return start(settings());
    }

    Agent start(Agent.Settings settings) {
        Agent agent = Agent.start(settings, identity, () -> system);
        toClose.add(agent);
        return agent;
    }

    static Agent.Settings with(Agent.Settings s, Agent.Caching caching, boolean evictsAtStop, Duration life) {
        return new Agent.Settings(
                s.folder(), s.servers(), s.machine(), s.unnamed(), caching, evictsAtStop, life, s.limits());
    }

    Path socket() {
        return LocalAgent.socket(folder.resolve("run"));
    }

    LocalAgent local() {
        LocalAgent local = LocalAgent.connect(socket(), LONG);
        toClose.add(local);
        return local;
    }

    SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        toClose.add(channel);
        channel.connect(UnixDomainSocketAddress.of(socket()));
        return channel;
    }

    static AgentRequest request(UnaryOperator<AgentRequest.Builder> what) {
        return what.apply(AgentRequest.newBuilder()
                        .setProtocol(Agent.PROTOCOL)
                        .setRelease(Release.own().text()))
                .build();
    }

    static final AgentRequest ATTACH = request(r -> r.setAttach(Empty.getDefaultInstance()));
    static final AgentRequest CREDENTIAL = request(r -> r.setCredential(Empty.getDefaultInstance()));

    static AgentRequest opened(ByteString... handles) {
        AgentHandlesMessage.Builder all = AgentHandlesMessage.newBuilder();
        for (ByteString handle : handles) {
            all.addHandles(
                    AgentHandleMessage.newBuilder().setPool(FakeSystem.POOL).setHandle(handle));
        }
        return request(r -> r.setOpened(all));
    }

    static ByteString handle(int number) {
        return ByteString.copyFrom(
                ByteBuffer.allocate(Handles.ID_BYTES).putInt(number).array());
    }

    static ByteBuffer frame(byte[] body) {
        return ByteBuffer.allocate(4 + body.length)
                .putInt(body.length)
                .put(body)
                .flip();
    }

    static AgentReply ask(SocketChannel channel, AgentRequest request) throws IOException {
        channel.write(frame(request.toByteArray()));
        return answer(channel);
    }

    static AgentReply answer(SocketChannel channel) throws IOException {
        return AgentReply.parseFrom(read(channel, read(channel, 4).getInt()));
    }

    private static ByteBuffer read(SocketChannel channel, int length) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(length);
        while (in.hasRemaining()) if (channel.read(in) < 0) throw new EOFException();
        return in.flip();
    }

    /** The agent has closed it; an answer may come before. */
    static boolean isClosed(SocketChannel channel) {
        try {
            ByteBuffer in = ByteBuffer.allocate(1 << 16);
            while (channel.read(in.clear()) >= 0) continue;
            return true;
        } catch (IOException e) {
            return true; // reset, because it had not read all
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long endNs = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - endNs < 0, what);
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** A process of its own; closing it kills it. */
    final class Child implements AutoCloseable {
        final Process process;
        private final BufferedReader out;

        /** @param before words that start it as another user, say */
        Child(List<String> before, AgentRequest... requests) throws IOException {
            Path source = folder.resolve("Stranger.java");
            try (InputStream in = AgentFixture.class.getResourceAsStream("/Stranger.java")) {
                if (!Files.exists(source)) Files.copy(in, source);
            }
            List<String> command = new ArrayList<>(before);
            command.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-Xmx64m", source.toString()));
            command.add(socket().toString());
            for (AgentRequest r : requests) command.add(HexFormat.of().formatHex(r.toByteArray()));
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            out = process.inputReader();
            toClose.add(this);
        }

        AgentReply answer() throws IOException {
            String line = out.readLine();
            assertTrue(line != null && line.startsWith("answer "), line);
            return AgentReply.parseFrom(HexFormat.of().parseHex(line.substring("answer ".length())));
        }

        @Override
        public void close() {
            process.destroyForcibly()
                    .onExit()
                    .orTimeout(LONG.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        }
    }

    static final List<String> AS_NOBODY = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");

    /** Skips a test where there is no second user to be had. */
    static void needNobody() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "only root can run a process of another user");
        List<String> java = new ArrayList<>(AS_NOBODY);
        java.addAll(List.of(System.getProperty("java.home") + "/bin/java", "-version"));
        try {
            int status = new ProcessBuilder(java)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            assumeTrue(status == 0, "the JDK of this test cannot be run by another user");
        } catch (IOException e) {
            assumeTrue(false, "setpriv is not there");
        }
    }
}
