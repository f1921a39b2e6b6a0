package io.daosmesh.cli;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Copies a tree into another. Owner: one command. Eight files at a time, four pieces of 1 MiB each at most; names come one
 * after the other, so that memory does not grow with the tree (directories' attributes excepted: they are set last).
 *
 * <p>What is verified: every piece is acknowledged with its CRC32C, and a file in a container carries the SHA-256 of what its
 * source gave; reading it back out compares with that. With {@code verify} each copy is also read back and its SHA-256
 * compared at once.
 */
final class DaosCopy {
    private static final int FILES_AT_ONCE = 8;

    private final DaosTree from;
    private final DaosTree to;
    private final boolean verify;
    private final DaosProgress progress;
    private final List<DaosTree.Item> directories = Collections.synchronizedList(new ArrayList<>());
    final LongAdder files = new LongAdder();
    final LongAdder links = new LongAdder();
    final LongAdder skipped = new LongAdder();
    final LongAdder others = new LongAdder();
    final LongAdder bytes = new LongAdder();

    DaosCopy(DaosTree from, DaosTree to, boolean verify, DaosProgress progress) {
        this.from = from;
        this.to = to;
        this.verify = verify;
        this.progress = progress;
    }

    int directoryCount() {
        return directories.size();
    }

    /** Bytes of all files below, for the bar. */
    static Mono<Long> size(DaosTree tree) {
        return tree.stat("").flatMapMany(start -> below(tree, start)).reduce(0L, (sum, item) -> sum + item.size());
    }

    private static Flux<DaosTree.Item> below(DaosTree tree, DaosTree.Item item) {
        if (item.type() != DaosTree.Type.DIRECTORY) return Flux.just(item);
        return tree.list(item.path()).concatMap(child -> below(tree, child), 1);
    }

    /** @param target name at the destination of a single file or link; a directory's content goes to its start */
    Mono<Void> run(DaosTree.Item source, String target) {
        Flux<DaosTree.Item> items = source.type() == DaosTree.Type.DIRECTORY ? walk(source) : Flux.just(source);
        return items.flatMap(item -> copy(item, source == item ? target : item.path()), FILES_AT_ONCE, 1)
                .then(Mono.defer(this::finishDirectories));
    }

    /** Depth first; a directory is made before what is in it is emitted. */
    private Flux<DaosTree.Item> walk(DaosTree.Item directory) {
        // Ours to write into for now, whatever the source's mode says; the end sets that.
        return to.makeDirectory(directory.path(), directory.mode() | 0700)
                .then(Mono.fromRunnable(() -> directories.add(directory)))
                .thenMany(from.list(directory.path())
                        .concatMap(item -> item.type() == DaosTree.Type.DIRECTORY ? walk(item) : Flux.just(item), 1));
    }

    private Mono<Void> copy(DaosTree.Item item, String target) {
        if (item.type() == DaosTree.Type.OTHER) {
            others.increment();
            return Mono.empty();
        }
        Mono<Void> work = to.stat(target)
                .map(there -> isSame(item, there))
                .defaultIfEmpty(false)
                .flatMap(same -> same
                        ? skip(item)
                        : item.type() == DaosTree.Type.LINK ? link(item, target) : file(item, target));
        return work.onErrorMap(e -> named(e, item));
    }

    private static boolean isSame(DaosTree.Item item, DaosTree.Item there) {
        return item.type() == DaosTree.Type.LINK
                ? there.type() == DaosTree.Type.LINK && there.linkTarget().equals(item.linkTarget())
                : item.looksLike(there);
    }

    private Mono<Void> skip(DaosTree.Item item) {
        return Mono.fromRunnable(() -> {
            skipped.increment();
            progress.add(item.size());
        });
    }

    private Mono<Void> link(DaosTree.Item item, String target) {
        return to.makeLink(item.at(target)).doOnSuccess(done -> links.increment());
    }

    private Mono<Void> file(DaosTree.Item item, String target) {
        return Mono.defer(() -> {
            MessageDigest digest = sha256();
            Flux<ByteBuffer> content = from.read(item.path()).doOnNext(piece -> {
                if (verify) digest.update(piece.duplicate());
                bytes.add(piece.remaining());
                progress.add(piece.remaining());
            });
            Mono<Void> written = to.write(item.at(target), content);
            return (verify ? written.then(Mono.defer(() -> compare(target, digest.digest()))) : written)
                    .doOnSuccess(done -> files.increment());
        });
    }

    private Mono<Void> compare(String target, byte[] expected) {
        MessageDigest digest = sha256();
        return to.read(target)
                .doOnNext(piece -> digest.update(piece.duplicate()))
                .then(Mono.fromRunnable(() -> {
                    if (!MessageDigest.isEqual(expected, digest.digest())) {
                        throw Fault.of(FaultCode.CSUM, "the copy differs from its source")
                                .asException();
                    }
                }));
    }

    /** The deepest first: setting a directory's time must not be undone by work inside it. */
    private Mono<Void> finishDirectories() {
        List<DaosTree.Item> last = new ArrayList<>(directories);
        Collections.reverse(last);
        return Flux.fromIterable(last)
                .concatMap(item -> to.setAttributes(item.path(), item.mode(), item.mtimeNs()))
                .then();
    }

    private static Throwable named(Throwable error, DaosTree.Item item) {
        Fault fault = FaultException.faultOf(error);
        if (item.path().isEmpty() || fault.text().contains(item.name())) return fault.asException();
        String text = fault.text().isEmpty() ? fault.code().meaning() : fault.text();
        return new Fault(fault.code(), item.path() + ": " + text, fault.arguments(), fault.remedy()).asException();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
