package io.daosmesh.itests.mesh;

import com.sun.nio.file.ExtendedOpenOption;
import io.daosmesh.itests.mesh.Bench.Limit;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What this machine can do at best, measured in the same run: synced writes to the same disk, bytes over the same wire. */
final class Limits {
    private static final Duration MEASURE = Duration.ofSeconds(3);
    private static final Duration CALL_MAX = Duration.ofSeconds(20);

    private final Path dir;
    private final ClientSettings settings;

    Limits(Path dir, ClientSettings settings) {
        this.dir = dir;
        this.settings = settings;
    }

    /** Writes of one block with fdatasync after each, {@code writers} threads on files already written with zeros. */
    Limit syncedWrites(int size, int writers) throws IOException, InterruptedException {
        AtomicLong done = new AtomicLong();
        Thread[] threads = new Thread[writers];
        long start = System.nanoTime();
        for (int i = 0; i < writers; i++) {
            Path file = dir.resolve("limit" + i);
            prepare(file, size);
            threads[i] = new Thread(() -> write(file, size, done));
        }
        start = System.nanoTime();
        for (Thread t : threads) t.start();
        for (Thread t : threads) t.join();
        double seconds = (System.nanoTime() - start) / 1e9;
        for (int i = 0; i < writers; i++) Files.deleteIfExists(dir.resolve("limit" + i));
        return new Limit("synced writes, one copy", done.get() / seconds);
    }

    private static final int BLOCKS = 32;

    private static void prepare(Path file, int size) throws IOException {
        try (FileChannel c = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocateDirect(size);
            for (int i = 0; i < BLOCKS; i++) c.write(zeros.clear(), (long) i * size);
            c.force(true);
        }
    }

    private static void write(Path file, int size, AtomicLong done) {
        ByteBuffer block =
                ByteBuffer.allocateDirect(size + 4096).alignedSlice(4096).limit(size);
        long end = System.nanoTime() + MEASURE.toNanos();
        try (FileChannel c = FileChannel.open(file, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT)) {
            for (int i = 0; System.nanoTime() < end; i++) {
                c.write(block.duplicate(), (long) (i % BLOCKS) * size);
                c.force(false);
                done.incrementAndGet();
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Bytes asked for and received over plain TCP on loopback, one connection for each in flight. */
    static Limit tcp(int size, int inFlight) throws IOException, InterruptedException {
        AtomicLong done = new AtomicLong();
        Thread[] threads = new Thread[2 * inFlight];
        long startNs = System.nanoTime();
        long endNs = startNs + MEASURE.toNanos();
        try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0))) {
            for (int i = 0; i < inFlight; i++) {
                SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                SocketChannel server = listener.accept();
                threads[2 * i] = new Thread(() -> exchange(server, 1, size, Long.MAX_VALUE, new AtomicLong()));
                threads[2 * i + 1] = new Thread(() -> exchange(client, size, 1, endNs, done));
            }
            for (Thread t : threads) t.start();
            for (Thread t : threads) t.join();
        }
        return new Limit("same bytes over plain TCP", done.get() / ((System.nanoTime() - startNs) / 1e9));
    }

    /** The one that receives less answers; the other one begins. Ends with the time or with its peer. */
    private static void exchange(SocketChannel peer, int received, int sent, long endNs, AtomicLong done) {
        ByteBuffer in = ByteBuffer.allocateDirect(received);
        ByteBuffer out = ByteBuffer.allocateDirect(sent);
        boolean isFirst = received > sent;
        try (peer) {
            peer.setOption(StandardSocketOptions.TCP_NODELAY, true);
            while (System.nanoTime() < endNs) {
                if (isFirst) writeAll(peer, out.clear());
                in.clear();
                while (in.hasRemaining()) if (peer.read(in) < 0) return;
                if (!isFirst) writeAll(peer, out.clear());
                done.incrementAndGet();
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void writeAll(SocketChannel peer, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) peer.write(bytes);
    }

    /** The same payloads, one way, from another process over our transport with the mesh's settings. */
    Limit received(int size, int inFlight) throws IOException {
        Process server = new ProcessBuilder(List.of(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-XX:+UseSerialGC",
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ByteServer.class.getName(),
                        dir.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (ClientTransport client = ClientTransport.open(settings);
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
            String address = lines.readLine();
            if (address == null) throw new IOException("the byte server did not start");
            Endpoint to = Endpoint.node(address);
            ByteBuffer wanted = ByteBuffer.allocateDirect(Integer.BYTES).putInt(0, size);
            Load.Operation receive = i -> client.rpc()
                    .call(
                            to,
                            RpcMethod.OBJECT_UPDATE,
                            RpcMessage.of(Empty.getDefaultInstance(), wanted.duplicate()),
                            CALL_MAX,
                            r -> r.data().remaining());
            Load.run(inFlight, MEASURE, receive);
            return new Limit(
                    "same bytes over the transport",
                    Load.run(inFlight, MEASURE, receive).timing(size).opsPerSecond());
        } finally {
            server.destroy();
        }
    }
}
