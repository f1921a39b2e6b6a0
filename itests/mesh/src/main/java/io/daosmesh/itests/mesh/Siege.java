package io.daosmesh.itests.mesh;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * A stranger who wants to keep many connections to the nodes of a mesh, from one address: silent ones, halves of a TLS record, whole
 * greetings that make a node calculate and are never followed up, clear SETUP frames, promises of huge frames, noise. Whatever is
 * closed is opened again, at a bounded rate. One thread of its own.
 */
public final class Siege implements AutoCloseable {
    private static final int TURN_MS = 10;
    private static final int NOISE_BYTES = 512;
    private static final byte[] HALF_RECORD = {0x16, 0x03, 0x01};
    /** Length, stream 0, type SETUP: the rest never comes. */
    private static final byte[] HUGE_FRAME = {-1, -1, -1, 0, 0, 0, 0, 0x04, 0};

    private static final byte[] CLEAR_SETUP = {0, 0, 12, 0, 0, 0, 0, 0x04, 0, 0, 1, 0, 0, 0, 0};

    private final List<InetSocketAddress> nodes;
    private final InetSocketAddress from;
    private final int wanted;
    private final int perSecond;
    private final byte[] greeting;
    private final SplittableRandom random = new SplittableRandom(9);
    private final Selector selector;
    private final ByteBuffer read = ByteBuffer.allocateDirect(1 << 16);
    private final AtomicLong opened = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> problem = new AtomicReference<>();
    private final Thread thread;
    private volatile boolean isStopping;

    /**
     * @param from own address
     * @param wanted connections to keep
     * @param perSecond connections opened a second at most
     */
    public Siege(List<InetSocketAddress> nodes, String from, int wanted, int perSecond)
            throws IOException, GeneralSecurityException {
        this.nodes = List.copyOf(nodes);
        this.from = new InetSocketAddress(from, 0);
        this.wanted = wanted;
        this.perSecond = perSecond;
        this.greeting = greeting();
        this.selector = Selector.open();
        this.thread = new Thread(this::run, "siege");
        thread.setDaemon(true);
        thread.start();
    }

    /** Connections that a node's kernel took, since the beginning. */
    public long opened() {
        return opened.get();
    }

    /** Why the stranger gave up; empty while it goes on. */
    public String problem() {
        Throwable t = problem.get();
        return t == null ? "" : t.toString();
    }

    @Override
    public String toString() {
        return opened + " connections opened, " + refused + " not taken, " + held + " held";
    }

    private static byte[] greeting() throws IOException, GeneralSecurityException {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(true);
        engine.beginHandshake();
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), record);
        byte[] bytes = new byte[record.flip().remaining()];
        record.get(bytes);
        return bytes;
    }

    private void run() {
        try {
            long start = System.nanoTime();
            long tried = 0;
            while (!isStopping) {
                long due = (System.nanoTime() - start) * perSecond / 1_000_000_000L;
                for (; tried < due && selector.keys().size() < wanted; tried++) open();
                tried = due;
                selector.select(this::ready, TURN_MS);
            }
            for (SelectionKey k : selector.keys()) close(k);
            selector.close();
        } catch (IOException | RuntimeException e) {
            problem.set(e);
        }
    }

    private void open() throws IOException {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        channel.bind(from);
        channel.register(selector, SelectionKey.OP_CONNECT);
        channel.connect(nodes.get(random.nextInt(nodes.size())));
    }

    private void ready(SelectionKey key) {
        SocketChannel channel = (SocketChannel) key.channel();
        try {
            if (key.isConnectable()) {
                channel.finishConnect();
                opened.incrementAndGet();
                held.incrementAndGet();
                key.attach(this);
                key.interestOps(SelectionKey.OP_READ);
                channel.write(ByteBuffer.wrap(speech()));
            } else if (channel.read(read.clear()) < 0) {
                close(key);
            }
        } catch (ConnectException e) {
            refused.incrementAndGet();
            close(key);
        } catch (IOException e) {
            close(key); // reset
        }
    }

    private byte[] speech() {
        return switch (random.nextInt(6)) {
            case 0 -> new byte[0];
            case 1 -> HALF_RECORD;
            case 2 -> greeting;
            case 3 -> CLEAR_SETUP;
            case 4 -> HUGE_FRAME;
            default -> {
                byte[] noise = new byte[NOISE_BYTES];
                random.nextBytes(noise);
                yield noise;
            }
        };
    }

    private void close(SelectionKey key) {
        key.cancel();
        if (key.attachment() != null) held.decrementAndGet();
        try {
            key.channel().close();
        } catch (IOException e) {
            return; // it is gone either way
        }
    }

    @Override
    public void close() {
        isStopping = true;
        selector.wakeup();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
