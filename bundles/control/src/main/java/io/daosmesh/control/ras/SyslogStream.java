package io.daosmesh.control.ras;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends lines as RFC 5424 over TCP (RFC 6587, octets counted) or TLS (RFC 5425), on a thread of its own: connects again when the
 * daemon goes away, keeps the last line until it is written, and drops what does not fit into the queue meanwhile. A daemon that
 * takes nothing for {@value #STUCK_S} seconds loses its connection. Any thread.
 */
final class SyslogStream implements Syslog {
    static final int QUEUE_MAX = 2048;
    private static final int STUCK_S = 10;
    private static final Logger LOG = LoggerFactory.getLogger(SyslogStream.class);
    private static final int CONNECT_MS = 3_000;
    private static final long PAUSE_MS = 1_000;
    private static final long PAUSE_MS_MAX = 30_000;

    private final String host;
    private final int port;
    private final @Nullable SSLContext tls;
    private final BlockingQueue<Line> queue = new ArrayBlockingQueue<>(QUEUE_MAX);
    private final AtomicLong dropped = new AtomicLong();
    private final Thread thread;
    private volatile boolean isClosed;
    private volatile @Nullable Socket socket;
    /** Of the write that is under way; 0 = none. */
    private volatile long writeSinceNs;

    /** @param tls null: in clear */
    SyslogStream(String host, int port, @Nullable SSLContext tls) {
        this.host = host;
        this.port = port;
        this.tls = tls;
        this.thread = new Thread(this::run, "syslog-" + host + ":" + port);
        thread.setDaemon(true);
        thread.start();
    }

    /** {@code 112 <29>1 2026-01-31T18:00:00.123456+00:00 st01 daos_server 4711 swim_rank_dead - &&& RAS EVENT ...}. */
    static byte[] frame(Line line) {
        byte[] message = ("<" + line.priority() + ">1 " + line.time() + " " + line.host() + " daos_server " + line.pid()
                        + " " + line.id() + " - " + line.text())
                .getBytes(StandardCharsets.UTF_8);
        byte[] length = (message.length + " ").getBytes(StandardCharsets.US_ASCII);
        byte[] all = new byte[length.length + message.length];
        System.arraycopy(length, 0, all, 0, length.length);
        System.arraycopy(message, 0, all, length.length, message.length);
        return all;
    }

    @Override
    public void send(Line line) {
        if (queue.offer(line)) return;
        dropped.incrementAndGet();
        long since = writeSinceNs;
        if (since != 0 && System.nanoTime() - since > TimeUnit.SECONDS.toNanos(STUCK_S)) disconnect();
    }

    private void run() {
        long pauseMs = PAUSE_MS;
        Line line = null;
        while (!isClosed) {
            try {
                if (line == null) line = queue.take();
                write(frame(line));
                line = null;
                pauseMs = PAUSE_MS;
                long lost = dropped.getAndSet(0);
                if (lost > 0) LOG.warn("syslog {}:{}: {} events did not get there", host, port, lost);
            } catch (IOException e) {
                disconnect();
                LOG.warn("syslog {}:{}: {}; again in {} ms", host, port, e.toString(), pauseMs);
                pauseMs = pause(pauseMs);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private long pause(long ms) {
        try {
            TimeUnit.MILLISECONDS.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Math.min(ms * 2, PAUSE_MS_MAX);
    }

    private void write(byte[] bytes) throws IOException {
        Socket s = socket;
        // nobody sends to us: what can be read is the end of the stream
        if (s != null && tls == null && s.getInputStream().available() == 0 && isEnded(s)) {
            disconnect();
            s = null;
        }
        if (s == null) s = connect();
        writeSinceNs = System.nanoTime();
        try {
            s.getOutputStream().write(bytes);
            s.getOutputStream().flush();
        } finally {
            writeSinceNs = 0;
        }
    }

    private static boolean isEnded(Socket s) throws IOException {
        s.setSoTimeout(1);
        try {
            return s.getInputStream().read() < 0;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        }
    }

    private Socket connect() throws IOException {
        Socket plain = new Socket();
        Socket connected = plain;
        try {
            plain.connect(new InetSocketAddress(host, port), CONNECT_MS);
            plain.setTcpNoDelay(true);
            if (tls != null) connected = secured(tls, plain);
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
        socket = connected;
        if (isClosed) disconnect();
        LOG.info("syslog goes to {}:{}", host, port);
        return connected;
    }

    /** The daemon's certificate must name the host. */
    private Socket secured(SSLContext context, Socket plain) throws IOException {
        SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secure.setSSLParameters(parameters);
        secure.setSoTimeout(CONNECT_MS);
        secure.startHandshake();
        return secure;
    }

    private void disconnect() {
        Socket s = socket;
        socket = null;
        if (s == null) return;
        try {
            s.close();
        } catch (IOException e) {
            LOG.debug("syslog: {}", e.toString());
        }
    }

    @Override
    public void close() {
        isClosed = true;
        thread.interrupt();
        disconnect();
    }
}
