package io.daosmesh.cli.dmg;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.SystemView;
import io.daosmesh.cli.events.TimeOrder;
import io.daosmesh.cli.start.LocalZone;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.ras.RasLine;
import io.daosmesh.model.wire.RasEventMessage;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code dmg system events}: the RAS events of all nodes, once or as they come. Owner: the main thread. */
final class DmgEvents {
    private static final Duration RECONNECT = Duration.ofSeconds(1);
    /** Asked for at a time: the nodes send no more than this ahead. */
    private static final int DEMAND = 64;

    private static final Duration READ_MAX = Duration.ofSeconds(30);

    private final DmgRoot root;
    private final Map<String, Fault> errors = new ConcurrentHashMap<>();

    private final Predicate<RasEventMessage> wanted;
    private final boolean isFollowing;

    DmgEvents(DmgRoot root, boolean follow, Predicate<RasEventMessage> wanted) {
        this.root = root;
        this.isFollowing = follow;
        this.wanted = wanted;
    }

    /** @param since RFC 3339; severity: this one or worse; ids: comma separated; DER_INVAL for what is none */
    static Predicate<RasEventMessage> filter(@Nullable String since, @Nullable String severity, @Nullable String ids) {
        long sinceUs = since == null ? Long.MIN_VALUE : micros(since);
        int worst = severity == null ? Integer.MAX_VALUE : severity(severity).getNumber();
        List<String> named = DmgSystem.keys(ids);
        return e -> e.getTimestampUs() >= sinceUs
                && e.getSeverityValue() <= worst
                && (named.isEmpty() || named.contains(e.getId()));
    }

    private static RasEventMessage.Severity severity(String text) {
        for (RasEventMessage.Severity s : RasEventMessage.Severity.values())
            if (s.name().equalsIgnoreCase(text)) return s;
        throw DmgSystem.invalid("'" + text + "' is no severity: ERROR, WARNING or NOTICE");
    }

    private static long micros(String text) {
        try {
            return ChronoUnit.MICROS.between(Instant.EPOCH, OffsetDateTime.parse(text));
        } catch (DateTimeException e) {
            throw DmgSystem.invalid("'" + text + "' is no time like 2026-01-31T18:00:00Z");
        }
    }

    int run() {
        List<String> hosts = root.hosts();
        if (isFollowing) {
            Iterable<RasEventMessage> events = TimeOrder.of(
                            Flux.merge(Flux.fromIterable(hosts).map(h -> follow(h, 0)), hosts.size(), DEMAND))
                    .toIterable(DEMAND);
            for (RasEventMessage event : events) {
                if (wanted.test(event)) print(event);
                // the reader has gone, as head does
                if (root.out.checkError()) return 1;
            }
            return 0;
        }
        List<RasEventMessage> all = Flux.merge(
                        Flux.fromIterable(hosts)
                                .map(h -> root.calls().events(h, 0, false).onErrorResume(e -> note(h, e))),
                        hosts.size(),
                        DEMAND)
                .collectList()
                .block(READ_MAX);
        return show(all == null ? List.of() : all, hosts);
    }

    private int show(List<RasEventMessage> events, List<String> hosts) {
        List<RasEventMessage> sorted = events.stream()
                .filter(wanted)
                .sorted(Comparator.comparingLong(RasEventMessage::getTimestampUs))
                .toList();
        // each host that answers sends as many replies as it has events
        HostReplies<Integer> asked = new HostReplies<>(Map.of(), errors, hosts);
        List<Map<String, ?>> rows = new ArrayList<>();
        sorted.forEach(e -> rows.add(SystemView.eventJson(e)));
        return root.show(asked, () -> lines(sorted), () -> events(asked, rows));
    }

    private static Map<String, ?> events(HostReplies<?> asked, List<Map<String, ?>> rows) {
        return asked.errors().isEmpty()
                ? Json.object("events", rows)
                : Json.object("events", rows, "host_errors", HostBlocks.errorsJson(asked));
    }

    private static String lines(List<RasEventMessage> events) {
        StringBuilder out = new StringBuilder();
        events.forEach(e -> out.append(RasLine.of(e, LocalZone.get())).append('\n'));
        return out.toString();
    }

    /** A node that goes away is asked again for what came after the last event seen. */
    private Flux<RasEventMessage> follow(String host, long after) {
        long[] last = {after};
        return root.calls()
                .events(host, after, true)
                .doOnNext(e -> last[0] = Math.max(last[0], e.getSequence()))
                .onErrorResume(e -> note(host, e))
                .concatWith(Mono.delay(RECONNECT).thenMany(Flux.defer(() -> follow(host, last[0]))));
    }

    private Flux<RasEventMessage> note(String host, Throwable error) {
        Fault fault = FaultException.faultOf(error);
        if (errors.put(host, fault) == null && isFollowing && !root.json) {
            root.error("ERROR: dmg: " + host + ": " + fault.message());
        }
        return Flux.empty();
    }

    private void print(RasEventMessage event) {
        root.out.println(root.json ? Json.writeLine(SystemView.eventJson(event)) : RasLine.of(event, LocalZone.get()));
        root.out.flush();
    }
}
