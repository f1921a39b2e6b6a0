package io.daosmesh.client;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * For callers that wait: turns a result that comes into one that is there. Any thread except Reactor's own. Faults are
 * thrown as {@code FaultException}. The calls end by themselves at the client's operation limit; the limit here is a net
 * below that.
 */
public final class Blocking {
    private static final Duration NET = Duration.ofHours(1);

    private Blocking() {}

    /** For calls that answer with a value. */
    public static <T> T get(Mono<T> call) {
        return find(call).orElseThrow(() -> Fault.of(FaultCode.NONEXIST).asException());
    }

    /** For calls whose answer may be empty. */
    public static <T> Optional<T> find(Mono<T> call) {
        try {
            return call.blockOptional(NET);
        } catch (RuntimeException e) {
            throw plain(e);
        }
    }

    /** For calls without an answer. */
    public static void run(Mono<Void> call) {
        find(call);
    }

    /** Everything at once: only for what is known to be small. */
    public static <T> List<T> list(Flux<T> call) {
        return get(call.collectList());
    }

    private static RuntimeException plain(RuntimeException e) {
        return e instanceof FaultException ? e : new FaultException(FaultException.faultOf(e));
    }

    /** Key-value calls that wait. */
    public record KeyValues(KeyValue target) {
        public void put(String key, byte[] value) {
            run(target.put(key, value));
        }

        public void insert(String key, byte[] value) {
            run(target.insert(key, value));
        }

        public Optional<byte[]> get(String key) {
            return find(target.get(key));
        }

        public void remove(String key) {
            run(target.remove(key));
        }

        public List<String> list() {
            return Blocking.list(target.list().map(key -> new String(key, java.nio.charset.StandardCharsets.UTF_8)));
        }
    }
}
