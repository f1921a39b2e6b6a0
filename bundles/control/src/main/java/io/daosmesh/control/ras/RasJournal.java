package io.daosmesh.control.ras;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.StateEvents;
import io.daosmesh.model.ras.RasEvent;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.ras.RasLine;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.RasStreamRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;

/**
 * Where this node's RAS events go: one line each into the node's log and, where configured, to syslog; the newest ones stay
 * in a ring for {@code dmg system events}. Any thread.
 */
@Component(
        immediate = true,
        service = {Ras.class, RasJournal.class, MetricSource.class})
public final class RasJournal implements Ras, MetricSource {
    private static final Logger LOG = LoggerFactory.getLogger("RAS");
    /** Of each type, about 1 MiB; a rebuild storm raises tens of events, not thousands. */
    private static final int EVENTS_MAX = 2048;
    /** RFC 5424 wants a colon in the offset. */
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSxxx", Locale.ROOT);

    private static final int UNSENT_MAX = 64;

    private final String host;
    private final long pid = ProcessHandle.current().pid();
    private final RasRing ring = new RasRing(EVENTS_MAX, System.currentTimeMillis() * 1_000);
    private final RateLimit limit = new RateLimit();
    private final Map<RasId, LongAdder> told = new ConcurrentHashMap<>();
    private final LongAdder held = new LongAdder();
    private final Optional<Syslog> syslog;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "ras-limit");
        thread.setDaemon(true);
        return thread;
    });
    /** STATE_CHANGE events of which management has not been told, because it is not there yet. */
    private final Queue<RasEventMessage> unsent = new ArrayBlockingQueue<>(UNSENT_MAX);

    private volatile @Nullable StateEvents states;

    @Activate
    public RasJournal(
            @Reference NodeConfig config, @Reference(service = NodeConfig.class) Map<String, Object> properties) {
        this.host = hostName(config);
        this.syslog = syslog(config, properties.get("syslog") instanceof String address ? address : "");
        timer.scheduleWithFixedDelay(this::tellHeld, 1, 1, TimeUnit.SECONDS);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindStates(StateEvents found) {
        states = found;
        tellStates();
    }

    void unbindStates(StateEvents gone) {
        if (states == gone) states = null;
    }

    private void tellStates() {
        StateEvents to = states;
        if (to == null) return;
        for (RasEventMessage e = unsent.poll(); e != null; e = unsent.poll()) to.onStateChange(e);
    }

    @Override
    public void raise(RasId id, Severity severity, String message, Map<String, String> fields) {
        if (limit.passes(id, System.nanoTime())) tell(id, severity, message, fields);
        else held.increment();
    }

    @Override
    public void collect(Sink sink) {
        // all of them: a rule sees no increase of a series that begins at 1
        for (RasId id : RasId.values())
            sink.counter(
                    "engine_ras_events_total",
                    "Events told by this node",
                    Map.of("id", id.label()),
                    count(id).sum());
        sink.counter("engine_ras_events_held_total", "Events held back as too many", Map.of(), held.sum());
    }

    private void tellHeld() {
        tellHeld(System.nanoTime());
    }

    /** One line for each id of which events were held back. */
    void tellHeld(long nowNs) {
        for (RateLimit.Held held : limit.due(nowNs)) {
            String text = held.count() + " events " + held.id().label() + " were held back: at most "
                    + RateLimit.EVENTS_MAX + " in " + RateLimit.WINDOW_S + " s are told";
            tell(
                    RasId.RAS_EVENTS_HELD,
                    Severity.WARNING,
                    text,
                    Map.of("data", "id=" + held.id().label() + " count=" + held.count()));
        }
    }

    private void tell(RasId id, Severity severity, String message, Map<String, String> fields) {
        count(id).increment();
        Map<String, String> all = new TreeMap<>(fields);
        all.putIfAbsent("pid", String.valueOf(pid));
        all.putIfAbsent("tid", String.valueOf(Thread.currentThread().getId()));
        RasEventMessage event =
                ring.add(RasLine.toWire(new RasEvent(id, severity, Instant.now(), host, message, all), 0));
        String line = RasLine.of(event, ZoneId.systemDefault());
        switch (severity) {
            case ERROR -> LOG.error("{}", line);
            case WARNING -> LOG.warn("{}", line);
            case NOTICE -> LOG.info("{}", line);
        }
        if (syslog.isPresent()) {
            String time = STAMP.format(RasLine.time(event, ZoneId.systemDefault()));
            syslog.get().send(new Syslog.Line(severity, id.label(), time, host, pid, line));
        }
        if (id.type() != RasEvent.Type.STATE_CHANGE) return;
        if (!unsent.offer(event)) LOG.debug("management is away: not told of {}", id.label());
        tellStates();
    }

    private LongAdder count(RasId id) {
        return told.computeIfAbsent(id, x -> new LongAdder());
    }

    /** The subscriber's demand rules; it cancels to stop a feed that follows. */
    public Flux<RasEventMessage> feed(RasStreamRequest request) {
        return RasFeed.of(ring, request);
    }

    public String host() {
        return host;
    }

    @Deactivate
    void stop() {
        timer.shutdownNow();
        syslog.ifPresent(Syslog::close);
    }

    private static Optional<Syslog> syslog(NodeConfig config, String text) {
        Optional<SyslogAddress> address = SyslogAddress.parse(text);
        if (address.isEmpty()) return Optional.empty();
        try {
            return Optional.of(address.get().open(config.tls().ca()));
        } catch (IOException e) {
            LOG.warn("syslog {} cannot be used ({}): RAS events are only in this log", text, e.getMessage());
            return Optional.empty();
        }
    }

    /** Without asking a name server, which may hang when it is needed most. */
    private static String hostName(NodeConfig config) {
        try {
            String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).trim();
            if (!name.isEmpty()) return name;
        } catch (IOException e) {
            LOG.debug("no host name: {}", e.toString());
        }
        return config.address();
    }
}
