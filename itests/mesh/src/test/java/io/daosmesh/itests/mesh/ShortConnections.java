package io.daosmesh.itests.mesh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousChannelGroup;
import java.nio.channels.AsynchronousServerSocketChannel;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/**
 * A program that serves connections as the ssh server of a node does, with the JDK's asynchronous channels and two threads, and
 * makes many itself that end at both sides at once. Status 1: one of them was not served.
 */
final class ShortConnections {
    private static final int CONNECTIONS = 20_000;
    private static final int SIDE_BY_SIDE = 2;
    private static final int ANSWER_MAX_MS = 10_000;

    private final ExecutorService closers = Executors.newCachedThreadPool();
    private final AsynchronousServerSocketChannel server;

    private ShortConnections() throws IOException {
        server = AsynchronousServerSocketChannel.open(
                        AsynchronousChannelGroup.withThreadPool(Executors.newFixedThreadPool(2)))
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    private void accept() {
        server.accept(null, then((AsynchronousSocketChannel connection) -> {
            accept();
            serve(connection);
        }));
    }

    /** Answers, waits for more, and closes without having had it. */
    private void serve(AsynchronousSocketChannel connection) {
        connection.read(ByteBuffer.allocate(1), null, then((Integer read) -> {
            connection.read(ByteBuffer.allocate(1), null, then((Integer end) -> close(connection)));
            connection.write(
                    ByteBuffer.allocate(1), null, then((Integer written) -> closers.execute(() -> close(connection))));
        }));
    }

    private static void close(AsynchronousSocketChannel connection) {
        try {
            connection.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private interface Next<T> {
        void on(T result);
    }

    private static <T> CompletionHandler<T, Void> then(Next<T> next) {
        return new CompletionHandler<>() {
            @Override
            public void completed(T result, Void nothing) {
                next.on(result);
            }

            @Override
            public void failed(Throwable failure, Void nothing) {} // closed meanwhile
        };
    }

    private void connect() {
        try (Socket socket = new Socket()) {
            socket.connect(server.getLocalAddress(), ANSWER_MAX_MS);
            socket.setSoTimeout(ANSWER_MAX_MS);
            socket.getOutputStream().write(1);
            if (socket.getInputStream().read() != 0) throw new IOException("no answer");
        } catch (IOException e) {
            System.out.println(e);
            System.exit(1);
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        ShortConnections all = new ShortConnections();
        all.accept();
        List<Thread> clients = IntStream.range(0, SIDE_BY_SIDE)
                .mapToObj(i -> new Thread(() -> {
                    for (int c = 0; c < CONNECTIONS / SIDE_BY_SIDE; c++) all.connect();
                }))
                .toList();
        clients.forEach(Thread::start);
        for (Thread client : clients) client.join();
        System.exit(0);
    }
}
