package io.daosmesh.client.dfs;

import io.daosmesh.client.Condition;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.charset.StandardCharsets;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** An opened directory: names and their entries. Any thread. Changes of one name are atomic. */
public final class DfsDirectory {
    private static final int LOOKUPS_AT_ONCE = 16;

    private final DfsPath path;
    private final KeyValue entries;

    DfsDirectory(DfsPath path, KeyValue entries) {
        this.path = path;
        this.entries = entries;
    }

    public DfsPath path() {
        return path;
    }

    /** A name and its entry. */
    public record Named(String name, DfsEntry entry) {}

    /** Empty when there is no such name. */
    public Mono<DfsEntry> lookup(String name) {
        return Mono.defer(() -> entries.get(key(name))).map(Layout::readEntry);
    }

    /** All entries, in no order. */
    public Flux<Named> list() {
        return entries.list()
                .map(key -> new String(key, StandardCharsets.UTF_8))
                .flatMap(name -> lookup(name).map(entry -> new Named(name, entry)), LOOKUPS_AT_ONCE, 64);
    }

    Mono<Boolean> isEmpty() {
        return entries.list().hasElements().map(some -> !some);
    }

    Mono<Void> put(String name, DfsEntry entry, Condition condition) {
        return Mono.defer(() -> entries.put(key(name), Layout.write(entry), condition))
                .onErrorMap(e -> named(e, name));
    }

    Mono<Void> remove(String name) {
        return Mono.defer(() -> entries.remove(key(name), Condition.NONE));
    }

    private Throwable named(Throwable error, String name) {
        FaultCode code = io.daosmesh.model.fault.FaultException.faultOf(error).code();
        if (code != FaultCode.EXIST && code != FaultCode.NONEXIST) return error;
        String what = code == FaultCode.EXIST ? "exists already" : "does not exist";
        return Fault.of(code, "'%s' %s", path.child(name), what).asException();
    }

    private byte[] key(String name) {
        return KeyValue.utf8(path.child(name).name());
    }
}
