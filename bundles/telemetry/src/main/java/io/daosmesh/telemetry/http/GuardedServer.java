package io.daosmesh.telemetry.http;

import com.sun.net.httpserver.Authenticator;
import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The JDK's HTTP server as an interface with an inside of our own. The JDK's has no limit per address, and its limits in time
 * hold for the whole process and only for whoever loads it first. This one answers one request a connection, takes no bodies,
 * and cuts off whoever is slow or one too many. Any thread.
 */
public final class GuardedServer extends HttpServer {
    private static final Logger log = LoggerFactory.getLogger(GuardedServer.class);
    /** More than a local caller can read at once, little enough for each of {@link Limits#connectionsMax()}. */
    private static final int SEND_BUFFER_BYTES = 256 * 1024;
    /** After a failed accept, which is a lack of file descriptors. */
    private static final long ACCEPT_PAUSE_MS = 100;

    private static final long IDLE_THREAD_MS = 2_000;
    /** Whoever is cut off frees his place sooner, unless a source of metrics hangs. */
    private static final long PLACE_MAX_MS = 1_000;

    private static final long STOP_MAX_MS = 2_000;

    private final Limits limits;
    private final Security security;
    private final ServerSocket listener;
    private final Connections<Connection> connections;
    private final Map<String, Context> contexts = new ConcurrentHashMap<>();
    private final Refusals refusals = new Refusals();
    private final AtomicLong failedAcceptCount = new AtomicLong();
    private final ScheduledThreadPoolExecutor timer;
    private final Thread acceptor;
    private final ThreadPoolExecutor workers;

    public GuardedServer(Limits limits, Security security) throws IOException {
        this.limits = limits;
        this.security = security;
        listener = new ServerSocket();
        connections = new Connections<>(limits);
        timer = new ScheduledThreadPoolExecutor(1, work -> daemon(work, "daos-metrics-timer"));
        workers = workers(limits.connectionsMax());
        timer.setRemoveOnCancelPolicy(true);
        acceptor = daemon(this::acceptAll, "daos-metrics-accept");
    }

    /** Requests refused and connections cut off so far. */
    public long refusedCount() {
        return refusals.count();
    }

    /** Connections there are. */
    public int connectionCount() {
        return connections.list().size();
    }

    @Override
    public void bind(InetSocketAddress address, int backlog) throws IOException {
        listener.bind(address, backlog);
    }

    @Override
    public void start() {
        acceptor.start();
    }

    /** Not used: whoever may connect has a thread of this server. */
    @Override
    public void setExecutor(@Nullable Executor executor) {
        log.trace("{} is not used", executor);
    }

    @Override
    public Executor getExecutor() {
        return workers;
    }

    /** At once: whatever is under way is cut off, and no thread stays unless a source of metrics hangs. */
    @Override
    public void stop(int delaySeconds) {
        try {
            listener.close();
            acceptor.join(STOP_MAX_MS);
            connections.list().forEach(c -> c.cut("the server stops"));
            timer.shutdownNow();
            workers.shutdown();
            timer.awaitTermination(STOP_MAX_MS, TimeUnit.MILLISECONDS);
            if (!workers.awaitTermination(STOP_MAX_MS, TimeUnit.MILLISECONDS)) {
                log.warn("{} scrapes are still under way", workers.getActiveCount());
            }
        } catch (IOException e) {
            log.debug("listener", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public HttpContext createContext(String path, HttpHandler handler) {
        HttpContext context = createContext(path);
        context.setHandler(handler);
        return context;
    }

    @Override
    public HttpContext createContext(String path) {
        Context context = new Context(this, path);
        if (contexts.putIfAbsent(path, context) != null) throw new IllegalArgumentException(path + " is taken");
        return context;
    }

    @Override
    public void removeContext(String path) {
        if (contexts.remove(path) == null) throw new IllegalArgumentException("no context " + path);
    }

    @Override
    public void removeContext(HttpContext context) {
        removeContext(context.getPath());
    }

    @Override
    public InetSocketAddress getAddress() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    private void acceptAll() {
        while (!listener.isClosed()) {
            try {
                take(listener.accept());
            } catch (IOException e) {
                if (listener.isClosed()) return;
                if (failedAcceptCount.getAndIncrement() == 0) log.error("no connection can be accepted", e);
                pause();
            }
        }
    }

    private void take(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSendBufferSize(SEND_BUFFER_BYTES);
        Connection connection = new Connection(this, socket);
        connections.admit(connection, connection.origin()).forEach(c -> c.cut("one connection too many"));
        try {
            connection.endAfter(timer, limits.requestMs());
            workers.execute(connection);
        } catch (RejectedExecutionException e) {
            connection.cut("no thread is free");
            ended(connection);
        }
    }

    /** The life of a connection, on a worker. */
    void serve(Connection connection, Socket socket) throws IOException {
        TlsTerms tls = security.tls().orElse(null);
        Socket talk = tls == null ? socket : tls.over(socket);
        RequestHead head;
        try {
            head = RequestHead.read(talk.getInputStream());
        } catch (BadRequest e) {
            Exchange.refuse(talk, e.status);
            throw e;
        }
        connections.answering(connection);
        connection.endAfter(timer, limits.answerMs());
        Context context = context(head.target().getPath());
        if (context == null) throw refused(talk, 404);
        try (Exchange exchange = new Exchange(talk, head, context, bytes -> sending(connection, bytes))) {
            security.headers().forEach(exchange.getResponseHeaders()::set);
            if (mayPass(exchange, context)) {
                new Filter.Chain(context.getFilters(), context.getHandler()).doFilter(exchange);
            } else {
                refusals.add(connection.origin(), "status " + exchange.getResponseCode());
            }
        }
    }

    private static BadRequest refused(Socket socket, int status) throws IOException {
        Exchange.refuse(socket, status);
        return new BadRequest(status, "nothing there");
    }

    private static boolean mayPass(Exchange exchange, Context context) throws IOException {
        Authenticator authenticator = context.getAuthenticator();
        if (authenticator == null) return true;
        Authenticator.Result result = authenticator.authenticate(exchange);
        if (result instanceof Authenticator.Success success) {
            exchange.authenticated(success.getPrincipal());
            return true;
        }
        int status = result instanceof Authenticator.Failure failure
                ? failure.getResponseCode()
                : ((Authenticator.Retry) result).getResponseCode();
        exchange.sendResponseHeaders(status, -1);
        return false;
    }

    private void sending(Connection connection, long bytes) {
        connections.sending(connection, bytes).forEach(c -> c.cut("too many answers under way"));
    }

    /** The longest path that the requested one begins with. */
    private @Nullable Context context(String path) {
        return contexts.values().stream()
                .filter(c -> path.startsWith(c.getPath()))
                .max(Comparator.comparingInt(c -> c.getPath().length()))
                .orElse(null);
    }

    void ended(Connection connection) {
        connections.remove(connection);
    }

    Refusals refusals() {
        return refusals;
    }

    /** As many as there may be connections; those that wait for a thread are being cut off. */
    private static ThreadPoolExecutor workers(int count) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor workers = new ThreadPoolExecutor(
                count,
                count,
                IDLE_THREAD_MS,
                TimeUnit.MILLISECONDS,
                new LinkedBlockingQueue<>(count),
                work -> daemon(work, "daos-metrics-" + number.incrementAndGet()),
                GuardedServer::waitForPlace);
        workers.allowCoreThreadTimeOut(true);
        return workers;
    }

    /** All places are taken by connections already cut off: accepting waits for one, which pushes back on who connects. */
    private static void waitForPlace(Runnable work, ThreadPoolExecutor workers) {
        try {
            if (workers.isShutdown() || !workers.getQueue().offer(work, PLACE_MAX_MS, TimeUnit.MILLISECONDS)) {
                throw new RejectedExecutionException("no place");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RejectedExecutionException(e);
        }
    }

    private static Thread daemon(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(ACCEPT_PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
