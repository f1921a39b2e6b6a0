package io.daosmesh.cli.dmg;

import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.SystemView;
import io.daosmesh.cli.start.LocalZone;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.ras.RasLine;
import io.daosmesh.model.wire.RasEventMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

    DmgEvents(DmgRoot root) {
        this.root = root;
    }

    int run(boolean follow) {
        List<String> hosts = root.hosts();
        if (follow) {
            Flux.merge(Flux.fromIterable(hosts).map(h -> follow(h, 0)), hosts.size(), DEMAND)
                    .toIterable(DEMAND)
                    .forEach(this::print);
            return 0;
        }
        List<RasEventMessage> all = Flux.merge(
                        Flux.fromIterable(hosts)
                                .map(h -> root.calls().events(h, 0, false).onErrorResume(e -> note(h, e))),
                        hosts.size(),
                        DEMAND)
                .collectList()
                .block(READ_MAX);
        return show(all == null ? List.of() : all, hosts.size());
    }

    private int show(List<RasEventMessage> events, int hosts) {
        List<RasEventMessage> sorted = events.stream()
                .sorted(Comparator.comparingLong(RasEventMessage::getTimestampUs))
                .toList();
        if (root.json) {
            List<Map<String, ?>> rows = new ArrayList<>();
            sorted.forEach(e -> rows.add(SystemView.eventJson(e)));
            root.answer(Json.success(Json.object("events", rows)));
        } else {
            sorted.forEach(this::print);
        }
        errors.forEach((host, fault) -> root.error("ERROR: dmg: " + host + ": " + fault.message()));
        return errors.isEmpty() || errors.size() < hosts ? 0 : 1;
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
        if (errors.put(host, fault) == null && !root.json) {
            root.error("ERROR: dmg: " + host + ": " + fault.message());
        }
        return Flux.empty();
    }

    private void print(RasEventMessage event) {
        root.out.println(root.json ? Json.writeLine(SystemView.eventJson(event)) : RasLine.of(event, LocalZone.get()));
        root.out.flush();
    }
}
