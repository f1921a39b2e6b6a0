package io.daosmesh.cli.copy;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Copies a tree into another. What vanishes meanwhile is counted, what may not be read is left out and told; the rest is
 * copied. Owner: one command. Eight files at a time, four pieces of 1 MiB each at most; names come one
 * after the other, so that memory does not grow with the tree (directories' attributes excepted: they are set last).
 *
 * <p>A container may say anything: what is not one name in its directory, or a directory that has been met before, is left out
 * and told; links are made when all else is there.
 *
 * <p>What is verified: every piece is acknowledged with its CRC32C, and a file in a container carries the SHA-256 of what its
 * source gave; reading it back out compares with that. With {@code verify} each copy is also read back and its SHA-256
 * compared at once.
 */
public final class TreeCopy {
    private static final int FILES_AT_ONCE = 8;
    /** Of paths and targets of links that wait: where there are more, some are made earlier. */
    private static final int LINK_CHARS_MAX = 4 << 20;

    private final FileTree from;
    private final FileTree to;
    private final Choice choice;
    private final Progress progress;
    private final List<FileTree.Item> directories = Collections.synchronizedList(new ArrayList<>());
    /** Guarded by itself. */
    private final List<FileTree.Item> waiting = new ArrayList<>();

    private int waitingChars;
    public final Refusals refused = new Refusals();
    public final LongAdder files = new LongAdder();
    public final LongAdder links = new LongAdder();
    public final LongAdder skipped = new LongAdder();
    public final LongAdder others = new LongAdder();
    public final LongAdder vanished = new LongAdder();
    /** Files that were given without their bits. */
    public final LongAdder withoutSetId = new LongAdder();

    public final LongAdder bytes = new LongAdder();

    /**
     * What the user wants.
     *
     * @param verify each copy is read back
     * @param setId files keep bits that let others run them as their owner or group
     */
    public record Choice(boolean verify, boolean setId) {}

    public TreeCopy(FileTree from, FileTree to, Choice choice, Progress progress) {
        this.from = from;
        this.to = to;
        this.choice = choice;
        this.progress = progress;
    }

    public int directoryCount() {
        return directories.size();
    }

    /** Bytes of all files below, for the bar. */
    public static Mono<Long> size(FileTree tree) {
        Set<String> met = new HashSet<>();
        return tree.stat("").flatMapMany(start -> below(tree, start, met)).reduce(0L, (sum, item) -> sum + item.size());
    }

    private static Flux<FileTree.Item> below(FileTree tree, FileTree.Item item, Set<String> met) {
        if (item.type() != FileTree.Type.DIRECTORY) return Flux.just(item);
        if (!isNew(item, met)) return Flux.empty();
        return tree.list(item.path()).filter(child -> child.isIn(item)).concatMap(child -> below(tree, child, met), 1);
    }

    private static boolean isNew(FileTree.Item directory, Set<String> met) {
        return directory.identity().isEmpty() || met.add(directory.identity());
    }

    /** @param target name at the destination of a single file or link; a directory's content goes to its start */
    public Mono<Void> run(FileTree.Item source, String target) {
        if (source.type() != FileTree.Type.DIRECTORY) return copy(source, target);
        Set<String> met = new HashSet<>();
        return walk(source, met)
                .flatMap(
                        item -> item.type() == FileTree.Type.LINK ? later(item) : copy(item, item.path()),
                        FILES_AT_ONCE,
                        1)
                .then(Mono.defer(() -> makeLinks(0)))
                .then(Mono.defer(this::finishDirectories));
    }

    /** Depth first; a directory is made before what is in it is emitted. */
    private Flux<FileTree.Item> walk(FileTree.Item directory, Set<String> met) {
        if (!isNew(directory, met)) {
            refused.add(directory.path(), "the directory has another name, too, or is one above");
            return Flux.empty();
        }
        // Ours to write into for now, whatever the source's mode says; the end sets that.
        return to.makeDirectory(directory.path(), directory.mode() | 0700)
                .thenReturn(directory)
                .onErrorResume(e -> refused.orFail(directory, e))
                .doOnNext(directories::add)
                .flatMapMany(made -> from.list(made.path())
                        .onErrorResume(e -> unread(made, e))
                        .filter(item -> isUsable(made, item))
                        .concatMap(
                                item -> item.type() == FileTree.Type.DIRECTORY ? walk(item, met) : Flux.just(item), 1));
    }

    private boolean isUsable(FileTree.Item directory, FileTree.Item item) {
        if (item.type() == FileTree.Type.UNUSABLE) refused.add(item.path(), item.text());
        else if (item.type() == FileTree.Type.GONE) vanished.increment();
        else if (!item.isIn(directory)) refused.add(item.path(), "it is no name");
        else return true;
        return false;
    }

    /** Of the source: it goes on without what is no longer there and what nobody lets it read. */
    private <T> Mono<T> unread(FileTree.Item item, Throwable error) {
        if (item.path().isEmpty()) return Mono.error(error);
        if (FaultException.faultOf(error).code() == FaultCode.NO_PERM) {
            refused.add(item.path(), "it may not be read");
            return Mono.empty();
        }
        return from.stat(item.path())
                .map(FileTree.Item::type)
                .defaultIfEmpty(FileTree.Type.GONE)
                .flatMap(now -> {
                    if (now == item.type()) return Mono.error(error);
                    vanished.increment();
                    return Mono.empty();
                });
    }

    private Mono<Void> later(FileTree.Item link) {
        synchronized (waiting) {
            waiting.add(link);
            waitingChars += link.path().length() + link.text().length();
        }
        return makeLinks(LINK_CHARS_MAX);
    }

    /** Those that wait, if they are more than so many characters. */
    private Mono<Void> makeLinks(int chars) {
        List<FileTree.Item> links;
        synchronized (waiting) {
            if (waitingChars < chars) return Mono.empty();
            links = List.copyOf(waiting);
            waiting.clear();
            waitingChars = 0;
        }
        return Flux.fromIterable(links)
                .flatMap(item -> copy(item, item.path()), FILES_AT_ONCE)
                .then();
    }

    private Mono<Void> copy(FileTree.Item item, String target) {
        if (item.type() == FileTree.Type.UNUSABLE) {
            refused.add(item.path(), item.text());
            return Mono.empty();
        }
        if (item.type() == FileTree.Type.OTHER) {
            others.increment();
            return Mono.empty();
        }
        Mono<Void> work = to.stat(target)
                .map(there -> isSame(item, there))
                .defaultIfEmpty(false)
                .flatMap(same -> same
                        ? skip(item)
                        : item.type() == FileTree.Type.LINK ? link(item, target) : file(item, target));
        return work.onErrorResume(e -> refused.orFail(item, e)).onErrorMap(e -> named(e, item));
    }

    private static boolean isSame(FileTree.Item item, FileTree.Item there) {
        return item.type() == FileTree.Type.LINK
                ? there.type() == FileTree.Type.LINK && there.text().equals(item.text())
                : item.looksLike(there);
    }

    private Mono<Void> skip(FileTree.Item item) {
        return Mono.fromRunnable(() -> {
            skipped.increment();
            progress.add(item.size());
        });
    }

    private Mono<Void> link(FileTree.Item item, String target) {
        return to.makeLink(item.at(target)).doOnSuccess(done -> links.increment());
    }

    private Mono<Void> file(FileTree.Item item, String target) {
        return Mono.defer(() -> {
            MessageDigest digest = sha256();
            AtomicBoolean isUnread = new AtomicBoolean();
            Flux<ByteBuffer> content = from.read(item.path())
                    .doOnNext(piece -> {
                        if (choice.verify()) digest.update(piece.duplicate());
                        bytes.add(piece.remaining());
                        progress.add(piece.remaining());
                    })
                    .doOnError(e -> isUnread.set(true));
            Mono<Boolean> written = to.write(given(item).at(target), content).thenReturn(true);
            return written.onErrorResume(e -> isUnread.get() ? unread(item, e) : Mono.error(e))
                    .flatMap(done -> {
                        files.increment();
                        if (item.isSetId() && !choice.setId()) withoutSetId.increment();
                        return choice.verify() ? compare(target, digest.digest()) : Mono.empty();
                    });
        });
    }

    private FileTree.Item given(FileTree.Item item) {
        return item.isSetId() && !choice.setId() ? item.withoutSetId() : item;
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
        List<FileTree.Item> last = new ArrayList<>(directories);
        Collections.reverse(last);
        return Flux.fromIterable(last)
                .concatMap(item -> to.setAttributes(item.path(), item.mode(), item.mtimeNs()))
                .then();
    }

    private static Throwable named(Throwable error, FileTree.Item item) {
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
