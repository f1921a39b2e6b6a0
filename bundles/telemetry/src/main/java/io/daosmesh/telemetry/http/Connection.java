package io.daosmesh.telemetry.http;

import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One accepted socket: handshake, request, answer, end. Owner: the worker that runs it; {@link #cut} from any thread, which
 * ends whatever the worker waits for on the network.
 */
final class Connection implements Runnable {
    private final GuardedServer server;
    private final Socket socket;
    private final String origin;
    private volatile @Nullable Future<?> deadline;
    private volatile @Nullable String cutReason;

    Connection(GuardedServer server, Socket socket) {
        this.server = server;
        this.socket = socket;
        this.origin = Origin.of(socket.getInetAddress());
    }

    String origin() {
        return origin;
    }

    /** Replaces the deadline before. */
    void endAfter(ScheduledExecutorService timer, long ms) {
        Future<?> before = deadline;
        if (before != null) before.cancel(false);
        deadline = timer.schedule(() -> cut("took longer than " + ms + " ms"), ms, TimeUnit.MILLISECONDS);
    }

    /** Closes the socket beneath TLS, whose own close may wait for a caller that does not read. */
    void cut(String reason) {
        cutReason = reason;
        close();
    }

    private void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // closed all the same
            return;
        }
    }

    @Override
    public void run() {
        String refused = null;
        try {
            server.serve(this, socket);
        } catch (EOFException e) {
            // left without a request, as whoever looks whether the port is open
            refused = null;
        } catch (IOException | RuntimeException e) {
            refused = String.valueOf(e.getMessage());
        } finally {
            close();
            Future<?> last = deadline;
            if (last != null) last.cancel(false);
            server.ended(this);
        }
        String reason = cutReason == null ? refused : cutReason;
        if (reason != null) server.refusals().add(socket.getInetAddress().getHostAddress(), reason);
    }
}
