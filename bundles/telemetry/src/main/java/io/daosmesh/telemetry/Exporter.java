package io.daosmesh.telemetry;

import com.sun.net.httpserver.HttpExchange;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.telemetry.http.GuardedServer;
import io.daosmesh.telemetry.http.Limits;
import io.daosmesh.telemetry.web.WebAccess;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.HTTPServer;
import io.prometheus.client.exporter.common.TextFormat;
import io.prometheus.client.hotspot.DefaultExports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Prometheus endpoint {@code /metrics} of a node: what the sources say, then the process's own series. Scrapes
 * follow one another; sources may come and go on any thread. A source that fails is left out, counted, and named in the log once.
 */
final class Exporter implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Exporter.class);
    private static final int BACKLOG = 64;
    /** A request that comes this soon after a scrape is given the same numbers: nobody keeps a processor busy by asking. */
    private static final long SAME_FOR_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long TURN_WAIT_MAX_MS = 4_000;

    private final GuardedServer server;
    private final HTTPServer http;
    private final Set<MetricSource> sources;
    private final Set<MetricSource> reported = ConcurrentHashMap.newKeySet();
    private final CollectorRegistry process = new CollectorRegistry();
    private final ReentrantLock turn = new ReentrantLock();
    // below: whoever has the turn
    private byte[] last = {};
    private long lastEndNs = System.nanoTime() - SAME_FOR_NS;
    private long scrapeCount;
    private double scrapeSeconds;
    private long failedSourceCount;
    private long droppedSampleCount;

    /** Listens when it returns. BUSY when the port is in use, INVAL when the address is not ours. */
    Exporter(InetSocketAddress bindTo, Set<MetricSource> sources, WebAccess access, Limits limits) {
        this.sources = sources;
        try {
            server = new GuardedServer(limits, access);
            server.bind(bindTo, BACKLOG);
            DefaultExports.register(process);
            http = serve(access);
        } catch (IOException e) {
            String text = String.valueOf(e.getMessage());
            FaultCode code = text.contains("in use") ? FaultCode.BUSY : FaultCode.INVAL;
            throw Fault.of(code, "metrics cannot be served on %s: %s", bindTo, text)
                    .remedy("set another telemetry_port or telemetry_config.bind_address")
                    .asException();
        }
        // its own writer ends every counter's name in _total, which DAOS's dashboards do not expect
        server.removeContext("/metrics");
        server.removeContext("/");
        server.createContext("/", this::onRequest).setAuthenticator(access.authenticator());
    }

    /** The library brings {@code /-/healthy} and starts the server. */
    private HTTPServer serve(WebAccess access) throws IOException {
        return new HTTPServer.Builder()
                .withHttpServer(server)
                .withRegistry(process)
                .withAuthenticator(access.authenticator())
                .withDaemonThreads(true)
                .build();
    }

    int port() {
        return server.getAddress().getPort();
    }

    int connectionCount() {
        return server.connectionCount();
    }

    /** Releases the port and ends the threads. */
    @Override
    public void close() {
        http.close();
        process.clear();
    }

    private void onRequest(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            boolean isRead = exchange.getRequestMethod().equals("GET")
                    || exchange.getRequestMethod().equals("HEAD");
            if (!path.equals("/metrics") || !isRead) {
                exchange.sendResponseHeaders(path.equals("/metrics") ? 405 : 404, -1);
                return;
            }
            byte[] body = turn();
            if (body.length == 0) {
                exchange.sendResponseHeaders(503, -1);
                return;
            }
            exchange.getResponseHeaders().set("Content-Type", TextFormat.CONTENT_TYPE_004);
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.sendResponseHeaders(200, -1);
                return;
            }
            exchange.sendResponseHeaders(200, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        } catch (RuntimeException e) {
            log.error("scrape failed", e);
            throw new IOException(e);
        }
    }

    /** The numbers of now; empty when a source holds up all scrapes. */
    private byte[] turn() throws IOException {
        try {
            if (!turn.tryLock(TURN_WAIT_MAX_MS, TimeUnit.MILLISECONDS)) return new byte[0];
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new byte[0];
        }
        try {
            if (System.nanoTime() - lastEndNs >= SAME_FOR_NS) {
                last = scrape();
                lastEndNs = System.nanoTime();
            }
            return last;
        } finally {
            turn.unlock();
        }
    }

    private byte[] scrape() throws IOException {
        long startNs = System.nanoTime();
        Scrape scrape = new Scrape();
        for (MetricSource source : sources) {
            Scrape.Part part = scrape.part();
            try {
                source.collect(part);
                part.accept();
            } catch (RuntimeException | LinkageError e) {
                failedSourceCount++;
                if (reported.add(source))
                    log.warn("metrics of {} are left out", source.getClass().getName(), e);
            }
        }
        reported.retainAll(sources);
        droppedSampleCount += scrape.droppedCount();
        scrapeCount++;
        scrapeSeconds += (System.nanoTime() - startNs) / 1e9;
        Scrape.Part own = scrape.part();
        own.counter(
                "engine_exporter_source_failures_total", "Sources left out of a scrape", Map.of(), failedSourceCount);
        own.counter(
                "engine_exporter_dropped_samples_total",
                "Samples left out as duplicates or as too many",
                Map.of(),
                droppedSampleCount);
        own.counter(
                "engine_exporter_refused_requests_total",
                "Requests refused and connections cut off",
                Map.of(),
                server.refusedCount());
        own.gauge("engine_exporter_connections", "Connections to this page", Map.of(), server.connectionCount());
        own.accept();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 * 1024);
        try (Writer out = new OutputStreamWriter(bytes, StandardCharsets.UTF_8)) {
            scrape.writeTo(out);
            writeDuration(out);
            TextFormat.write004(out, process.metricFamilySamples());
        }
        return bytes.toByteArray();
    }

    /** A summary, as in DAOS's exporter; the simple gatherer knows counters and gauges only. */
    private void writeDuration(Writer out) throws IOException {
        String name = "engine_exporter_scrape_duration_seconds";
        out.write("# HELP " + name + " Time to collect all sources\n# TYPE " + name + " summary\n");
        out.write(name + "_sum " + scrapeSeconds + "\n" + name + "_count " + scrapeCount + "\n");
    }
}
