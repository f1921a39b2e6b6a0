package io.daosmesh.client.dfs;

import io.daosmesh.client.KeyValue;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.KeyChange;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.text.Printable;
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

    /**
     * A name and its entry, or what is stored instead of them: whoever may write to a container may write anything. Immutable.
     *
     * @param name what can be opened, removed and so on; of an unusable one a text for people
     * @param entry null = the stored bytes are none
     * @param problem empty = usable
     * @param key the name's bytes as they are stored
     */
    public record Named(String name, @Nullable DfsEntry entry, String problem, byte[] key) {
        public static Named of(String name, DfsEntry entry) {
            return new Named(name, entry, "", NameBytes.of(name));
        }

        public boolean isUsable() {
            return problem.isEmpty();
        }

        /** For people, without characters that are no text. */
        public String shown() {
            return Printable.of(key);
        }
    }

    /**
     * What a name stands for at some moment. Immutable.
     *
     * @param entry null = nothing, or nothing that can be understood
     * @param version of the entry, to compare with before it is changed
     * @param problem null = name and entry are as they should be
     */
    record Found(
            String name,
            byte[] key,
            @Nullable DfsEntry entry,
            long version,
            @Nullable Fault problem) {
        Found(String name, @Nullable DfsEntry entry, long version) {
            this(name, NameBytes.of(name), entry, version, null);
        }

        boolean isDirectory() {
            return entry != null && entry.isDirectory();
        }

        boolean isThere() {
            return version != KeyValue.ABSENT;
        }

        /** The problem of what is there and is none; else there is nothing to complain about. */
        void checkEntry() {
            if (entry == null && problem != null) throw problem.asException();
        }

        Named named() {
            Fault p = problem;
            return new Named(p == null ? name : Printable.of(key), entry, p == null ? "" : p.text(), key);
        }
    }

    ObjectId id() {
        return entries.id();
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
        return Mono.defer(() -> find(key(name)));
    }

    /** By the bytes as they are stored, whatever they are. */
    Mono<Found> find(byte[] key) {
        return entries.getVersioned(key)
                .map(v -> found(key, v))
                .defaultIfEmpty(new Found(NameBytes.text(key), key, null, KeyValue.ABSENT, null));
    }

    private static Found found(byte[] key, KeyValue.Versioned stored) {
        String name = NameBytes.text(key);
        String why = DfsPath.whyNoName(name);
        Fault problem = why.isEmpty() ? null : Fault.of(FaultCode.BADPATH, "the name " + why);
        try {
            return new Found(name, key, Layout.readEntry(stored.value()), stored.version(), problem);
        } catch (FaultException e) {
            return new Found(name, key, null, stored.version(), e.fault());
        }
    }

    /** All entries, in no order, also those that nobody should have put there. */
    public Flux<Named> list() {
        return findAll().map(Found::named);
    }

    Flux<Found> findAll() {
        return entries.list().flatMap(this::find, LOOKUPS_AT_ONCE, 64).filter(Found::isThere);
    }

    Mono<Boolean> isEmpty() {
        return entries.list().hasElements().map(some -> !some);
    }

    Mono<Void> put(String name, DfsEntry entry, Condition condition) {
        return Mono.defer(() -> entries.put(key(name), Layout.write(entry), condition))
                .onErrorMap(e -> fault(e, name));
    }

    /** TX_RESTART when the name stands for something else now; answers the new version. */
    Mono<Long> set(Found before, DfsEntry entry) {
        return Mono.defer(() -> entries.change(List.of(setting(before, entry))))
                .onErrorMap(e -> fault(e, before.name()));
    }

    Mono<Void> remove(Found before) {
        return Mono.defer(() -> entries.change(List.of(removing(before))))
                .onErrorMap(e -> fault(e, before.name()))
                .then();
    }

    /** In one step: {@code to} stands for what {@code from} stood for, which is gone. TX_RESTART when either has changed. */
    Mono<Void> move(Found from, Found to, DfsEntry entry) {
        return Mono.defer(() -> entries.change(List.of(setting(to, entry), removing(from))))
                .onErrorMap(e -> fault(e, from.name()))
                .then();
    }

    private KeyChange setting(Found before, DfsEntry entry) {
        return KeyValue.putting(before.key(), Layout.write(entry), KeyValue.version(before.version()));
    }

    private KeyChange removing(Found before) {
        return KeyChange.remove(before.key(), KeyValue.version(before.version()));
    }

    /** What is opened by an unusable name, or too deep, keeps the path of the directory it is in: paths are for messages here. */
    DfsPath pathOf(Found found) {
        boolean isPath = found.problem() == null && path.names().size() < DfsPath.DEPTH_MAX;
        return isPath ? path.child(found.name()) : path;
    }

    private Throwable fault(Throwable error, String name) {
        Fault fault = FaultException.faultOf(error);
        String what = switch (fault.code()) {
            case EXIST -> "exists already";
            case NONEXIST -> "does not exist";
            case TX_RESTART -> "was changed meanwhile";
            default -> "";
        };
        if (what.isEmpty()) return error;
        String text = "'" + (path.isRoot() ? "/" : path + "/") + name + "' " + what;
        return new Fault(fault.code(), text, fault.arguments(), fault.code().remedy()).asException();
    }

    private byte[] key(String name) {
        return NameBytes.of(path.child(name).name());
    }
}
