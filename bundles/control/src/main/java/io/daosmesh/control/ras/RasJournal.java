package io.daosmesh.control.ras;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Ras;
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
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;

/**
 * Where this node's RAS events go: one line each into the node's log and, where configured, to syslog; the newest ones stay
 * in a ring for {@code dmg system events}. Any thread.
 */
@Component(
        immediate = true,
        service = {Ras.class, RasJournal.class})
public final class RasJournal implements Ras {
    private static final Logger LOG = LoggerFactory.getLogger("RAS");
    /** About 1 MiB at most; a rebuild storm raises tens of events, not thousands. */
    private static final int EVENTS_MAX = 2048;

    private final String host;
    private final long pid = ProcessHandle.current().pid();
    private final RasRing ring = new RasRing(EVENTS_MAX, System.currentTimeMillis() * 1_000);
    private final Optional<Syslog> syslog;

    @Activate
    public RasJournal(
            @Reference NodeConfig config, @Reference(service = NodeConfig.class) Map<String, Object> properties) {
        this.host = hostName(config);
        this.syslog = syslog(properties.get("syslog") instanceof String address ? address : "");
    }

    @Override
    public void raise(RasId id, Severity severity, String message, Map<String, String> fields) {
        Map<String, String> all = new TreeMap<>(fields);
        all.putIfAbsent("pid", String.valueOf(pid));
        all.putIfAbsent("tid", String.valueOf(Thread.currentThread().getId()));
        RasEvent event = new RasEvent(id, severity, Instant.now(), host, message, all);
        String line = RasLine.of(RasLine.toWire(event, 0), ZoneId.systemDefault());
        switch (severity) {
            case ERROR -> LOG.error("{}", line);
            case WARNING -> LOG.warn("{}", line);
            case NOTICE -> LOG.info("{}", line);
        }
        syslog.ifPresent(s -> send(s, severity, line));
        ring.add(RasLine.toWire(event, 0));
    }

    /** The subscriber's demand rules; it cancels to stop a feed that follows. */
    public Flux<RasEventMessage> feed(RasStreamRequest request) {
        return RasFeed.of(ring, request);
    }

    public String host() {
        return host;
    }

    @Deactivate
    void stop() throws IOException {
        if (syslog.isPresent()) syslog.get().close();
    }

    private void send(Syslog to, Severity severity, String line) {
        try {
            to.send(severity, line, pid);
        } catch (IOException e) {
            LOG.debug("syslog: {}", e.toString());
        }
    }

    private static Optional<Syslog> syslog(String address) {
        if (address.isEmpty()) return Optional.empty();
        try {
            return Optional.of(new Syslog(address));
        } catch (IOException e) {
            LOG.warn("syslog {} cannot be used ({}): RAS events are only in this log", address, e.getMessage());
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
