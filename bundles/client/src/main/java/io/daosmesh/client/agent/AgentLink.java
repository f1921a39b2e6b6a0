package io.daosmesh.client.agent;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.wire.AgentAttachMessage;
import io.daosmesh.model.wire.AgentCredentialMessage;
import io.daosmesh.model.wire.AgentHandleMessage;
import io.daosmesh.model.wire.AgentHandlesMessage;
import io.daosmesh.model.wire.AgentReply;
import io.daosmesh.model.wire.AgentRequest;
import io.daosmesh.model.wire.Empty;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process's connection to its agent: kept open, made again when the agent has been restarted. Owner: its one daemon thread;
 * {@link #wakeUp} and {@link #close} from any thread.
 */
final class AgentLink {
    private static final Logger log = LoggerFactory.getLogger(AgentLink.class);

    private static final int PROTOCOL = 1;
    private static final int MESSAGE_BYTES_MAX = 64 << 10;
    private static final int HANDLES_AT_ONCE_MAX = 512;
    private static final long ANSWER_MS = 15_000;
    private static final long PAUSE_FIRST_MS = 50;
    private static final long PAUSE_MAX_MS = 2000;
    private static final long RENEW_AGAIN_MS = 10_000;

    private final Path socket;
    private final LocalAgent agent;
    private final Thread thread;
    private final Selector selector;
    /** What this connection's agent knows of our handles. */
    private final Map<ByteString, ByteString> told = new LinkedHashMap<>();

    private long renewMs;
    /** Counts what other threads have changed: a wake-up is lost when it comes while an answer is awaited. */
    private final AtomicInteger changes = new AtomicInteger();

    private volatile boolean isClosed;

    AgentLink(Path socket, LocalAgent agent) {
        this.socket = socket;
        this.agent = agent;
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        this.thread = new Thread(this::run, "daos-local-agent");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    void wakeUp() {
        changes.incrementAndGet();
        selector.wakeup();
    }

    void close() {
        isClosed = true;
        wakeUp();
    }

    private void run() {
        long pauseMs = PAUSE_FIRST_MS;
        try {
            while (!isClosed) {
                long beganMs = System.currentTimeMillis();
                RuntimeException failure = stayConnected();
                if (!agent.isAttached()) {
                    agent.onFirstFailed(failure);
                    return;
                }
                if (isClosed) return;
                log.debug("the agent is gone: {}", failure.getMessage());
                boolean wasGood = System.currentTimeMillis() - beganMs > PAUSE_MAX_MS;
                pauseMs = wasGood ? PAUSE_FIRST_MS : Math.min(PAUSE_MAX_MS, pauseMs * 2);
                // spread: all processes of the machine have lost it in the same moment
                selector.select(ThreadLocalRandom.current().nextLong(pauseMs / 2, pauseMs + 1));
            }
        } catch (IOException e) {
            log.error("the link to the agent ended", e);
        } finally {
            closeSelector();
        }
    }

    private void closeSelector() {
        try {
            selector.close();
        } catch (IOException e) {
            log.debug("closing failed: {}", e.getMessage());
        }
    }

    /** Returns why the connection ended. */
    private RuntimeException stayConnected() {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            told.clear();
            // who we are first: an agent that cannot reach the system now may still tell it
            renew(channel, key);
            tellHandles(channel, key);
            if (!agent.isAttached()) attach(channel, key);
            while (!isClosed) {
                int seen = changes.get();
                tellHandles(channel, key);
                if (System.currentTimeMillis() >= renewMs) renewIfPossible(channel, key);
                if (changes.get() != seen) continue;
                selector.select(Math.max(1, renewMs - System.currentTimeMillis()));
                selector.selectedKeys().clear();
                checkSilent(channel);
            }
            // so that the agent knows what to evict
            tellHandles(channel, key);
            return agent.unreachable("was left");
        } catch (FaultException e) {
            return e;
        } catch (IOException e) {
            log.debug("{}: {}", socket, e.toString());
            return agent.unreachable(told.isEmpty() ? "does not answer" : "is gone");
        }
    }

    /** Nothing was asked: what comes now is the end of the agent. */
    private static void checkSilent(SocketChannel channel) throws IOException {
        int read = channel.read(ByteBuffer.allocate(1));
        if (read < 0) throw new EOFException("closed by the agent");
        if (read > 0) throw new IOException("an answer to no question");
    }

    private void attach(SocketChannel channel, SelectionKey key) throws IOException {
        AgentReply reply = ask(channel, key, request().setAttach(Empty.getDefaultInstance()));
        AgentAttachMessage info = reply.getAttach();
        agent.onAttached(info);
    }

    private void renew(SocketChannel channel, SelectionKey key) throws IOException {
        AgentReply reply = ask(channel, key, request().setCredential(Empty.getDefaultInstance()));
        AgentCredentialMessage credential = reply.getCredential();
        agent.onCredential(credential);
        long nowMs = System.currentTimeMillis();
        // at half its life: there is time for another try
        renewMs = nowMs + Math.max(RENEW_AGAIN_MS / 10, (credential.getExpiresMs() - nowMs) / 2);
    }

    private void renewIfPossible(SocketChannel channel, SelectionKey key) throws IOException {
        try {
            renew(channel, key);
        } catch (FaultException e) {
            log.warn("no new credential: {}", e.fault());
            renewMs = System.currentTimeMillis() + RENEW_AGAIN_MS;
        }
    }

    private void tellHandles(SocketChannel channel, SelectionKey key) throws IOException {
        Map<ByteString, ByteString> open = agent.open();
        Map<ByteString, ByteString> gone = new LinkedHashMap<>(told);
        gone.keySet().removeAll(open.keySet());
        Map<ByteString, ByteString> fresh = new LinkedHashMap<>(open);
        fresh.keySet().removeAll(told.keySet());
        // the closed ones first: they make room
        for (AgentHandlesMessage batch : batches(gone))
            tell(channel, key, request().setClosed(batch));
        for (AgentHandlesMessage batch : batches(fresh))
            tell(channel, key, request().setOpened(batch));
        told.clear();
        told.putAll(open);
    }

    /** A refused handle still works; only nobody evicts it for us. */
    private void tell(SocketChannel channel, SelectionKey key, AgentRequest.Builder request) throws IOException {
        try {
            ask(channel, key, request);
        } catch (FaultException e) {
            log.warn("the agent does not watch these pool handles: {}", e.fault());
        }
    }

    private static List<AgentHandlesMessage> batches(Map<ByteString, ByteString> handles) {
        List<AgentHandlesMessage> batches = new ArrayList<>();
        AgentHandlesMessage.@Nullable Builder batch = null;
        for (Map.Entry<ByteString, ByteString> handle : handles.entrySet()) {
            if (batch == null) batch = AgentHandlesMessage.newBuilder();
            batch.addHandles(
                    AgentHandleMessage.newBuilder().setHandle(handle.getKey()).setPool(handle.getValue()));
            if (batch.getHandlesCount() < HANDLES_AT_ONCE_MAX) continue;
            batches.add(batch.build());
            batch = null;
        }
        if (batch != null) batches.add(batch.build());
        return batches;
    }

    // ---------------------------------------------------------------- messages

    private static AgentRequest.Builder request() {
        return AgentRequest.newBuilder()
                .setProtocol(PROTOCOL)
                .setRelease(Release.own().text());
    }

    private AgentReply ask(SocketChannel channel, SelectionKey key, AgentRequest.Builder request) throws IOException {
        long endMs = System.currentTimeMillis() + ANSWER_MS;
        byte[] body = request.build().toByteArray();
        ByteBuffer out = ByteBuffer.allocate(4 + body.length);
        out.putInt(body.length).put(body).flip();
        try {
            write(channel, key, out, endMs);
        } catch (IOException e) {
            // an agent that refuses us says so and closes before it has read anything
            log.debug("{}", e.toString());
        }
        key.interestOps(SelectionKey.OP_READ);
        int length = read(channel, key, 4, endMs).getInt();
        if (length < 0 || length > MESSAGE_BYTES_MAX) throw new IOException("not an agent's answer");
        AgentReply reply = AgentReply.parseFrom(read(channel, key, length, endMs));
        if (reply.hasFault()) throw Fault.fromWire(reply.getFault()).asException();
        return reply;
    }

    private void write(SocketChannel channel, SelectionKey key, ByteBuffer out, long endMs) throws IOException {
        key.interestOps(SelectionKey.OP_WRITE);
        while (out.hasRemaining()) {
            channel.write(out);
            if (out.hasRemaining()) await(key, endMs);
        }
    }

    private ByteBuffer read(SocketChannel channel, SelectionKey key, int bytes, long endMs) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(bytes);
        while (in.hasRemaining()) {
            int read = channel.read(in);
            if (read < 0) throw new EOFException("closed by the agent");
            if (read == 0) await(key, endMs);
        }
        return in.flip();
    }

    private void await(SelectionKey key, long endMs) throws IOException {
        long leftMs = endMs - System.currentTimeMillis();
        if (leftMs <= 0) throw new IOException("no answer in time");
        selector.select(leftMs);
        selector.selectedKeys().clear();
        if (!key.isValid()) throw new EOFException("closed");
    }
}
