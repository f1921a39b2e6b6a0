package io.daosmesh.client.dfs;

import io.daosmesh.client.dfs.DfsDirectory.Found;
import io.daosmesh.client.value.Outcome;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * One name becomes another. Owner: one call.
 *
 * <p>Inside a directory this is one step. Two directories are two objects with two leaders, and no step covers both:
 *
 * <ol>
 *   <li>{@code from} is marked as shared: whoever replaces or removes it from now on leaves its object alone;
 *   <li>{@code to} is set to the same entry, marked likewise, if it still is what was found there;
 *   <li>{@code from} is removed, if it still is exactly what the mark has made it: somebody may have moved {@code to} back
 *       there; else all of this begins anew;
 *   <li>{@code to} loses its mark, if nobody else can have used that of {@code from} in between.
 * </ol>
 *
 * Every step compares, so a repeated or late one does nothing. Others wait while a mark is fresh, see {@link Marks}. Between 2
 * and 3, and after a crash or a long pause there, both names stand for the object; a further rename of the one to the other,
 * or a removal of either, tidies up. An object whose mark remains is not freed with its last name: space is lost, never
 * content.
 */
final class Rename {
    private final DfsDirectory source;
    private final DfsDirectory destination;
    private final String from;
    private final String to;
    private final Function<DfsEntry, Mono<Void>> free;
    private final Marks marks;
    private final long ownMark = Marks.make();
    private boolean isMarkOurs;
    /** What {@code to} has been set to; null = not yet. */
    private @Nullable DfsEntry moved;

    /** A name in a directory. */
    record Place(DfsDirectory directory, String name) {}

    /** @param free gives the space back of what has no name any more; never fails */
    Rename(Place from, Place to, Marks marks, Function<DfsEntry, Mono<Void>> free) {
        this.source = from.directory();
        this.from = from.name();
        this.destination = to.directory();
        this.to = to.name();
        this.marks = marks;
        this.free = free;
    }

    Mono<Void> run() {
        if (!source.isSame(destination)) return across();
        if (from.equals(to)) return present().then();
        return Attempts.run(() ->
                present().flatMap(found -> destination.find(to).flatMap(there -> within(found, there))));
    }

    private Mono<Found> present() {
        return source.find(from).flatMap(found -> {
            found.checkEntry();
            return found.entry() != null ? Mono.just(found) : Mono.error(absent());
        });
    }

    private RuntimeException absent() {
        return Fault.of(FaultCode.NONEXIST, "'%s' does not exist", source.path().child(from))
                .remedy("check the path")
                .asException();
    }

    private Mono<Void> within(Found found, Found there) {
        marks.check(found, ownMark);
        checkTarget(there);
        DfsEntry entry = Objects.requireNonNull(found.entry());
        return source.move(found, there, entry).then(freeReplaced(there, entry));
    }

    private void checkTarget(Found there) {
        marks.check(there, ownMark);
        if (!there.isDirectory()) return;
        throw Fault.of(
                        FaultCode.EXIST,
                        "'%s' is a directory",
                        destination.path().child(to))
                .asException();
    }

    private Mono<Void> freeReplaced(Found before, DfsEntry now) {
        DfsEntry replaced = before.entry();
        return replaced == null || replaced.isSameObject(now) ? Mono.empty() : free.apply(replaced);
    }

    /** Once more from the start when others have changed {@code from} between its mark and its removal. */
    private Mono<Void> across() {
        return Attempts.run(() -> mark().flatMap(this::linkAndUnlink).thenReturn(true))
                .then();
    }

    private Mono<Void> linkAndUnlink(Found marked) {
        return Attempts.run(() -> link(marked))
                .onErrorResume(e -> Outcome.of(e) == Outcome.NOT_DONE
                        ? unmark(source, marked).then(Mono.error(e))
                        : Mono.error(e))
                .flatMap(linked -> source.remove(marked).then(Mono.defer(() -> unmark(destination, linked))));
    }

    /** Empty when {@code to} has been set before and {@code from} is somebody else's business by now. */
    private Mono<Found> mark() {
        return source.find(from).flatMap(found -> {
            DfsEntry entry = found.entry();
            found.checkEntry();
            DfsEntry last = moved;
            if (last != null && (entry == null || !entry.isSameObject(last))) return Mono.empty();
            if (entry == null) return Mono.error(absent());
            return destination.find(to).flatMap(there -> mark(found, there));
        });
    }

    /** What is at {@code from} now: the only one with this version. */
    private Mono<Found> mark(Found found, Found there) {
        marks.check(found, ownMark);
        checkTarget(there);
        DfsEntry entry = Objects.requireNonNull(found.entry());
        if (!entry.hasObject()) return Mono.just(found);
        isMarkOurs = !entry.isShared();
        DfsEntry shared = entry.withShared(ownMark);
        // also when it is shared already: somebody else's rename must see that this one is under way
        return source.set(found, shared).map(version -> new Found(from, shared, version));
    }

    private Mono<Found> link(Found marked) {
        DfsEntry entry = Objects.requireNonNull(marked.entry());
        return destination.find(to).flatMap(there -> {
            checkTarget(there);
            return destination
                    .set(there, entry)
                    .onErrorMap(e -> Attempts.ofNewName(e, there))
                    .flatMap(version -> {
                        moved = entry;
                        return freeReplaced(there, entry).thenReturn(new Found(to, entry, version));
                    });
        });
    }

    /** A mark that stays costs space once, so a failure does not matter. */
    private Mono<Void> unmark(DfsDirectory directory, Found marked) {
        DfsEntry entry = Objects.requireNonNull(marked.entry());
        if (!isMarkOurs || !entry.hasObject()) return Mono.empty();
        return directory.set(marked, entry.withShared(0)).then().onErrorResume(e -> Mono.empty());
    }
}
