package io.daosmesh.control.node;

import io.daosmesh.control.node.Devices.Owned;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.LedRequest;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** Finds a device by its light: it blinks for a bounded time and then goes back to OFF. Any thread. */
final class Lights {
    private static final Logger LOG = LoggerFactory.getLogger(Lights.class);
    private static final int CHECK = 0;
    private static final int IDENTIFY = 1;
    private static final int RESET = 2;
    private static final int MINUTES_DEFAULT = 2;
    private static final int MINUTES_MAX = 24 * 60;
    private static final int DEVICES_MAX = 256;

    private final Devices devices;
    private final Scheduler scheduler;
    private final Map<UUID, Disposable> timers = new ConcurrentHashMap<>();

    Lights(Devices devices, Scheduler scheduler) {
        this.devices = devices;
        this.scheduler = scheduler;
    }

    Mono<List<DeviceInfoMessage>> handle(LedRequest request) {
        if (request.getAction() < CHECK || request.getAction() > RESET || request.getIdsCount() > DEVICES_MAX) {
            return Mono.error(Fault.of(FaultCode.INVAL, "unknown light request").asException());
        }
        if (request.getTimeoutMinutes() < 0 || request.getTimeoutMinutes() > MINUTES_MAX) {
            return Mono.error(Fault.of(FaultCode.INVAL, "a light blinks for 1 to %d minutes", MINUTES_MAX)
                    .asException());
        }
        Flux<String> ids = request.getIdsCount() > 0
                ? Flux.fromIterable(request.getIdsList())
                : devices.all(false)
                        .flatMapIterable(l -> l)
                        .filter(d -> !d.getUuid().isEmpty())
                        .map(DeviceInfoMessage::getAddress);
        return ids.concatMap(devices::owner).concatMap(o -> handle(o, request)).collectList();
    }

    private Mono<DeviceInfoMessage> handle(Owned owned, LedRequest request) {
        if (request.getAction() == CHECK) return Mono.just(owned.device());
        String state = request.getAction() == IDENTIFY ? "QUICK_BLINK" : "OFF";
        return owned.storage()
                .led(owned.uuid(), state)
                .map(d -> owned.device().toBuilder()
                        .setLed(d.getLed().isEmpty() ? state : d.getLed())
                        .build())
                .doOnNext(d -> restartTimer(owned, request));
    }

    private void restartTimer(Owned owned, LedRequest request) {
        Disposable old = timers.remove(owned.uuid());
        if (old != null) old.dispose();
        if (request.getAction() != IDENTIFY) return;
        int minutes = request.getTimeoutMinutes() == 0 ? MINUTES_DEFAULT : request.getTimeoutMinutes();
        timers.put(owned.uuid(), scheduler.schedule(() -> off(owned), minutes, TimeUnit.MINUTES));
    }

    private void off(Owned owned) {
        timers.remove(owned.uuid());
        owned.storage()
                .led(owned.uuid(), "OFF")
                .subscribe(d -> {}, e -> LOG.warn("light of device {}: {}", owned.uuid(), e.getMessage()));
    }
}
