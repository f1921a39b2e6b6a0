package io.daosmesh.client;

import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Expected;
import io.daosmesh.client.value.KeyChange;
import io.daosmesh.client.value.Read;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A map from keys (1 to 4096 bytes) to values (up to 8 MiB) that survives failures. Any thread. */
public final class KeyValue {
    /** Every entry is one single value under this akey of its dkey. */
    private static final byte[] AKEY = {'v'};

    /** Version of what is not there. */
    public static final long ABSENT = 0;

    private final DaosObject object;

    KeyValue(DaosObject object) {
        this.object = object;
    }

    public ObjectId id() {
        return object.id();
    }

    /** Done when durable on every replica. INSERT: EXIST when there, EXISTING: NONEXIST when not. */
    public Mono<Void> put(byte[] key, byte[] value, Condition condition) {
        return object.update(key, List.of(Write.single(AKEY, ByteBuffer.wrap(value))), condition);
    }

    public Mono<Void> put(String key, byte[] value) {
        return put(utf8(key), value, Condition.NONE);
    }

    public Mono<Void> insert(String key, byte[] value) {
        return put(utf8(key), value, Condition.INSERT);
    }

    /** Empty when absent. */
    public Mono<byte[]> get(byte[] key) {
        return object.fetch(key, List.of(Read.single(AKEY)))
                .flatMap(all -> all.get(0).isAbsent()
                        ? Mono.empty()
                        : Mono.just(bytes(all.get(0).data())));
    }

    /**
     * A value and which one it is.
     *
     * @param version never the same for two puts
     */
    public record Versioned(byte[] value, long version) {}

    /** Empty when absent. */
    public Mono<Versioned> getVersioned(byte[] key) {
        return object.fetch(key, List.of(Read.single(AKEY)))
                .flatMap(all -> all.get(0).isAbsent()
                        ? Mono.empty()
                        : Mono.just(new Versioned(
                                bytes(all.get(0).data()), all.get(0).version())));
    }

    /**
     * Compare and set: TX_RESTART when the value is not the one of this version, {@link #ABSENT} for none.
     *
     * @return the new version, see {@link DaosObject#change}
     */
    public Mono<Long> put(byte[] key, byte[] value, long expectedVersion) {
        return Mono.defer(() -> change(List.of(putting(key, value, version(expectedVersion)))));
    }

    /** TX_RESTART when the value is not the one of this version. */
    public Mono<Void> remove(byte[] key, long expectedVersion) {
        return Mono.defer(() -> change(List.of(KeyChange.remove(key, version(expectedVersion)))))
                .then();
    }

    /** Several entries at once, see {@link DaosObject#change}: all or none, each only if it is as expected. */
    public Mono<Long> change(List<KeyChange> changes) {
        return object.change(changes);
    }

    /** For {@link #change}; its counterpart is {@link KeyChange#remove}. */
    public static KeyChange putting(byte[] key, byte[] value, Expected expected) {
        return KeyChange.write(key, List.of(Write.single(AKEY, ByteBuffer.wrap(value))), expected);
    }

    public static Expected version(long version) {
        return Expected.version(AKEY, version);
    }

    public Mono<byte[]> get(String key) {
        return get(utf8(key));
    }

    /** With EXISTING: NONEXIST when there is nothing to remove. */
    public Mono<Void> remove(byte[] key, Condition condition) {
        return object.punchDkey(key, condition);
    }

    public Mono<Void> remove(String key) {
        return remove(utf8(key), Condition.NONE);
    }

    /** All keys, in no order. */
    public Flux<byte[]> list() {
        return object.listDkeys();
    }

    /** Removes every entry. */
    public Mono<Void> clear() {
        return object.punch();
    }

    /** INVAL for half a pair of UTF-16, which has no bytes of its own: it would be the same key as a question mark. */
    public static byte[] utf8(String key) {
        if (key.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
            throw Fault.of(FaultCode.INVAL, "key '%s' is no text", key).asException();
        }
        return key.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] bytes(ByteBuffer data) {
        if (data.hasArray() && data.array().length == data.remaining()) return data.array();
        byte[] copy = new byte[data.remaining()];
        data.duplicate().get(copy);
        return copy;
    }
}
