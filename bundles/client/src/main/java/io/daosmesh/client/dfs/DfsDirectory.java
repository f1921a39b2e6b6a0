package io.daosmesh.client.dfs;

import io.daosmesh.client.Condition;
import io.daosmesh.client.KeyChange;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
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

    /**
     * What a name stands for at some moment. Immutable.
     *
     * @param entry null = nothing
     * @param version of the entry, to compare with before it is changed
     */
    record Found(String name, @Nullable DfsEntry entry, long version) {
        boolean isDirectory() {
            return entry != null && entry.isDirectory();
        }
    }

    /** Reached by two ways. */
    boolean isSame(DfsDirectory other) {
        return entries.id().equals(other.entries.id());
    }

    /** Empty when there is no such name. */
    public Mono<DfsEntry> lookup(String name) {
        return Mono.defer(() -> entries.get(key(name))).map(Layout::readEntry);
    }

    Mono<Found> find(String name) {
        return Mono.defer(() -> entries.getVersioned(key(name)))
                .map(v -> new Found(name, Layout.readEntry(v.value()), v.version()))
                .defaultIfEmpty(new Found(name, null, KeyValue.ABSENT));
    }

    /** All entries, in no order. */
    public Flux<Named> list() {
        return findAll().mapNotNull(found -> {
            DfsEntry entry = found.entry();
            return entry == null ? null : new Named(found.name(), entry);
        });
    }

    Flux<Found> findAll() {
        return entries.list()
                .map(key -> new String(key, StandardCharsets.UTF_8))
                .flatMap(this::find, LOOKUPS_AT_ONCE, 64)
                .filter(found -> found.entry() != null);
    }

    Mono<Boolean> isEmpty() {
        return entries.list().hasElements().map(some -> !some);
    }

    Mono<Void> put(String name, DfsEntry entry, Condition condition) {
        return Mono.defer(() -> entries.put(key(name), Layout.write(entry), condition))
                .onErrorMap(e -> named(e, name));
    }

    /** TX_RESTART when the name stands for something else now; answers the new version. */
    Mono<Long> set(Found before, DfsEntry entry) {
        return Mono.defer(() -> entries.change(List.of(setting(before, entry))))
                .onErrorMap(e -> named(e, before.name()));
    }

    Mono<Void> remove(Found before) {
        return Mono.defer(() -> entries.change(List.of(removing(before))))
                .onErrorMap(e -> named(e, before.name()))
                .then();
    }

    /** In one step: {@code to} stands for what {@code from} stood for, which is gone. TX_RESTART when either has changed. */
    Mono<Void> move(Found from, Found to, DfsEntry entry) {
        return Mono.defer(() -> entries.change(List.of(setting(to, entry), removing(from))))
                .onErrorMap(e -> named(e, from.name()))
                .then();
    }

    private KeyChange setting(Found before, DfsEntry entry) {
        return KeyValue.putting(key(before.name()), Layout.write(entry), KeyValue.version(before.version()));
    }

    private KeyChange removing(Found before) {
        return KeyChange.remove(key(before.name()), KeyValue.version(before.version()));
    }

    private Throwable named(Throwable error, String name) {
        Fault fault = FaultException.faultOf(error);
        String what = switch (fault.code()) {
            case EXIST -> "exists already";
            case NONEXIST -> "does not exist";
            case TX_RESTART -> "was changed meanwhile";
            default -> "";
        };
        if (what.isEmpty()) return error;
        String text = "'" + path.child(name) + "' " + what;
        return new Fault(fault.code(), text, fault.arguments(), fault.code().remedy()).asException();
    }

    private byte[] key(String name) {
        return KeyValue.utf8(path.child(name).name());
    }
}
