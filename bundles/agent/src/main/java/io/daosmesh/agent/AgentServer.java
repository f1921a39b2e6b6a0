package io.daosmesh.agent;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.AgentReply;
import io.daosmesh.model.wire.AgentRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * The loop over all connections of this machine's processes. Owner: its one thread, which never blocks: who a process belongs to
 * is looked up by the workers, answers come from {@link Requests}.
 */
final class AgentServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AgentServer.class);

    /** Between two looks at deadlines. */
    private static final long TICK_MS = 200;

    private static final long STOP_MS = 3000;

    /** Accepted, and their user not yet known: more wait in the kernel. */
    private static final int UNKNOWN_MAX = 256;

    /** Everybody's turn before anybody's user is known. */
    private static final String NOBODY = "";

    private final AgentLimits limits;
    private final FairWorkers workers;
    private final Requests requests;
    private final Handles handles;
    private final Admission admission;
    private final SocketPlace place;
    private final Selector selector;
    private final SelectionKey acceptKey;
    private final Thread thread;
    /** Bounded: each connection waits for one thing at most, and few evictions are under way at a time. */
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

    private final Set<Connection> connections = new HashSet<>();
    private int unknownCount;
    private long tickNs = System.nanoTime();
    private volatile boolean isClosed;
    private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();

    AgentServer(SocketPlace place, AgentLimits limits, Handles handles, FairWorkers workers, Requests requests) {
        this.place = place;
        this.limits = limits;
        this.workers = workers;
        this.requests = requests;
        this.handles = handles;
        this.admission = new Admission(limits);
        try {
            this.selector = Selector.open();
            this.acceptKey = place.listener().register(selector, SelectionKey.OP_ACCEPT);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.thread = new Thread(this::run, "agent-loop");
    }

    void start() {
        thread.start();
    }

    /** Done when the loop has ended, asked for or not. */
    CompletableFuture<@Nullable Void> ended() {
        return ended;
    }

    private void run() {
        try {
            while (!isClosed) {
                selector.select(key -> guarded(() -> onReady(key)), TICK_MS);
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) guarded(task);
                if (System.nanoTime() - tickNs > TICK_MS * 1_000_000L) tick();
            }
        } catch (IOException | RuntimeException e) {
            log.error("the agent's loop ended", e);
        } finally {
            List.copyOf(connections).forEach(this::end);
            place.close();
            ended.complete(null);
        }
    }

    /** What goes wrong with one connection ends it by its deadline at the latest, never the loop. */
    private static void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException e) {
            log.error("a connection failed", e);
        }
    }

    private void onReady(SelectionKey key) {
        if (key == acceptKey) {
            accept();
            return;
        }
        Connection connection = (Connection) key.attachment();
        try {
            if (key.isValid() && key.isReadable()) onReadable(connection);
            if (key.isValid() && key.isWritable()) onWritable(connection);
        } catch (Connection.Garbled e) {
            refuse(connection, Fault.of(FaultCode.PROTO, "%s", String.valueOf(e.getMessage())));
        } catch (IOException e) {
            end(connection);
        }
    }

    // ---------------------------------------------------------------- beginning and end

    private void accept() {
        try {
            while (unknownCount < UNKNOWN_MAX) {
                SocketChannel channel = ((ServerSocketChannel) acceptKey.channel()).accept();
                if (channel == null) return;
                begin(channel);
            }
            acceptKey.interestOps(0);
        } catch (IOException e) {
            // no file descriptors: the next tick tries again
            log.warn("a connection could not be accepted: {}", e.getMessage());
            acceptKey.interestOps(0);
        }
    }

    private void begin(SocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector, 0);
        Connection connection = new Connection(
                channel,
                key,
                handles.newProcess(),
                System.nanoTime() + limits.silence().toNanos());
        key.attach(connection);
        connections.add(connection);
        unknownCount++;
        workers.run(NOBODY, () -> identify(connection));
    }

    /** On a worker: names may come over the network. */
    private void identify(Connection connection) {
        try {
            UnixDomainPrincipal peer = connection.channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
            Caller caller = new Caller(peer.user().getName(), peer.group().getName());
            later(() -> onIdentified(connection, caller));
        } catch (IOException | RuntimeException e) {
            log.debug("a process went before it was known: {}", e.getMessage());
            later(() -> end(connection));
        }
    }

    /** Runs it on the loop. Any thread. */
    void later(Runnable task) {
        tasks.add(task);
        selector.wakeup();
    }

    private void onIdentified(Connection connection, Caller caller) {
        if (connection.isClosed) return;
        Optional<Fault> refused = admission.enter(caller.user());
        if (refused.isPresent()) {
            log.debug("{}", refused.get());
            refuse(connection, refused.get());
            return;
        }
        unknownCount--;
        connection.caller = caller;
        admission.buffered(caller, connection.capacityBytes());
        connection.key.interestOps(SelectionKey.OP_READ);
        resumeAccepting();
    }

    private void resumeAccepting() {
        if (unknownCount < UNKNOWN_MAX && acceptKey.isValid()) acceptKey.interestOps(SelectionKey.OP_ACCEPT);
    }

    private void end(Connection connection) {
        if (connection.isClosed) return;
        connection.isClosed = true;
        connections.remove(connection);
        try {
            connection.channel.close();
        } catch (IOException e) {
            log.debug("closing failed: {}", e.getMessage());
        }
        Caller caller = connection.caller;
        if (caller == null) {
            unknownCount--;
            resumeAccepting();
            return;
        }
        admission.leave(caller.user(), connection.capacityBytes());
        requests.ended(caller, connection.handles);
    }

    /** Looks for who is late, and tries again to accept. */
    private void tick() {
        tickNs = System.nanoTime();
        List<Connection> late = new ArrayList<>();
        for (Connection c : connections) {
            if (c.deadlineNs != Connection.NEVER && tickNs - c.deadlineNs > 0) late.add(c);
        }
        late.forEach(this::end);
        resumeAccepting();
    }

    // ---------------------------------------------------------------- messages

    private void onReadable(Connection connection) throws IOException {
        int before = connection.capacityBytes();
        boolean isOpen = connection.read();
        if (!isOpen) {
            end(connection);
            return;
        }
        next(connection, before);
    }

    /** Deals with what has been read. */
    private void next(Connection connection, int capacityBefore) throws Connection.Garbled {
        Optional<byte[]> message = connection.message();
        if (!admission.buffered(connection.caller, connection.capacityBytes() - capacityBefore)) {
            end(connection);
            return;
        }
        if (message.isPresent()) {
            answer(connection, message.get());
            return;
        }
        connection.key.interestOps(SelectionKey.OP_READ);
        boolean wasIdle = connection.deadlineNs == Connection.NEVER;
        if (connection.isWithinMessage() && wasIdle) connection.deadlineNs = silenceEndNs();
    }

    private long silenceEndNs() {
        return System.nanoTime() + limits.silence().toNanos();
    }

    private void answer(Connection connection, byte[] message) {
        Caller caller = connection.caller;
        if (caller == null) return;
        AgentRequest request;
        try {
            request = AgentRequest.parseFrom(message);
        } catch (InvalidProtocolBufferException e) {
            refuse(connection, Fault.of(FaultCode.PROTO, "the request cannot be read"));
            return;
        }
        connection.key.interestOps(0);
        connection.deadlineNs = Connection.NEVER;
        requests.answer(caller, connection.handles, request)
                .onErrorResume(e -> Mono.just(AgentReply.newBuilder()
                        .setFault(FaultException.faultOf(e).toWire())
                        .build()))
                .subscribe(reply -> later(() -> send(connection, reply, false)), e -> log.error("no answer", e));
    }

    private void refuse(Connection connection, Fault fault) {
        send(connection, AgentReply.newBuilder().setFault(fault.toWire()).build(), true);
    }

    private void send(Connection connection, AgentReply reply, boolean last) {
        if (connection.isClosed) return;
        byte[] bytes = reply.toByteArray();
        if (bytes.length > AgentLimits.MESSAGE_BYTES_MAX) {
            Fault fault = Fault.of(FaultCode.OVERFLOW, "the answer is longer than a message may be");
            bytes = AgentReply.newBuilder().setFault(fault.toWire()).build().toByteArray();
        }
        connection.answer(bytes, last);
        connection.deadlineNs = silenceEndNs();
        try {
            onWritable(connection);
        } catch (IOException e) {
            end(connection);
        }
    }

    private void onWritable(Connection connection) throws IOException {
        if (!connection.write()) {
            connection.key.interestOps(SelectionKey.OP_WRITE);
            return;
        }
        if (connection.endsNow()) {
            end(connection);
            return;
        }
        connection.deadlineNs = Connection.NEVER;
        next(connection, connection.capacityBytes());
    }

    /** Ends all connections, as if their processes had ended, and gives the socket back. Any thread. */
    @Override
    public void close() {
        isClosed = true;
        selector.wakeup();
        try {
            thread.join(STOP_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
