package io.daosmesh.client.dfs;

import io.daosmesh.client.ArrayObject;
import io.daosmesh.client.Container;
import io.daosmesh.client.KeyValue;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Outcome;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The file system in a container. Any thread. A file appears, complete, when its last byte is durable; replacing one is
 * atomic: readers see the old or the new content. Every change of a name compares it with what was read before, so that
 * nothing is replaced, removed or freed that others have put there meanwhile, and a request that comes twice or late does
 * nothing. A call that ends without an answer may have been carried out ({@code Outcome}); it may then leave an object
 * without a name behind, never a name without its object. A directory that is removed while another client adds a name to
 * it takes that name with it.
 */
public final class Dfs {
    private static final byte[] SUPERBLOCK = KeyValue.utf8("dfs.superblock");
    private static final int LINKS_MAX = 40;
    private static final int REMOVALS_AT_ONCE = 8;
    private static final int DIRECTORY_MODE = 0755;

    private final Container container;
    private final int chunkBytes;
    /** Its object never changes; its attributes are read afresh where they matter. */
    private final DfsEntry root;

    private final Marks marks;

    private Dfs(Container container, Layout.Superblock superblock, Marks marks) {
        this.marks = marks;
        this.container = container;
        this.chunkBytes = superblock.chunkBytes();
        this.root = superblock.root();
    }

    /** Opens the file system, making an empty one in a container that has none. INVAL for a container of another type. */
    public static Mono<Dfs> mount(Container container) {
        return mount(container, Marks.USUAL);
    }

    static Mono<Dfs> mount(Container container, Marks marks) {
        return Mono.defer(() -> {
            String type = container.info().type();
            if (!type.equalsIgnoreCase("POSIX")) {
                throw Fault.of(
                                FaultCode.INVAL,
                                "container '%s' is not of type POSIX",
                                container.info().label())
                        .remedy("use a container created with --type POSIX")
                        .asException();
            }
            return superblock(container)
                    .switchIfEmpty(Mono.defer(() -> format(container)))
                    .map(found -> new Dfs(container, found, marks));
        });
    }

    private static Mono<Layout.Superblock> superblock(Container container) {
        return container.catalogue().get(SUPERBLOCK).map(Layout::readSuperblock);
    }

    /** Two clients may try at once: the store lets one win, and the other takes what is there. */
    private static Mono<Layout.Superblock> format(Container container) {
        return container
                .newId(ObjectId.Type.KEY_VALUE, directoryClass(container))
                .map(id -> Layout.Superblock.of(DfsEntry.directory(DIRECTORY_MODE, nowNs(), id)))
                .flatMap(made -> container
                        .catalogue()
                        .put(SUPERBLOCK, Layout.write(made), Condition.INSERT)
                        .thenReturn(made)
                        .onErrorResume(e -> codeOf(e) == FaultCode.EXIST, e -> superblock(container)));
    }

    public Container container() {
        return container;
    }

    /** What is at the path; its last name is not followed if it is a link. NONEXIST, NOTDIR. */
    public Mono<DfsEntry> stat(DfsPath path) {
        if (path.isRoot()) return superblock(container).map(Layout.Superblock::root);
        return resolve(path, false).map(Resolved::entry);
    }

    /** NOTDIR when the path leads to a file. */
    public Mono<DfsDirectory> directory(DfsPath path) {
        return resolve(path, true).map(found -> {
            if (!found.entry().isDirectory()) throw notDirectory(path);
            return open(found);
        });
    }

    private DfsDirectory open(Resolved found) {
        return new DfsDirectory(found.path(), container.keyValue(found.entry().object()));
    }

    /** @param path as it was asked for, links replaced by what they lead to */
    private record Resolved(DfsPath path, DfsEntry entry) {}

    private Mono<Resolved> resolve(DfsPath path, boolean followLast) {
        return walk(new Resolved(DfsPath.ROOT, root), path, 0, new Walk(followLast, 0));
    }

    private record Walk(boolean followLast, int links) {}

    private Mono<Resolved> walk(Resolved at, DfsPath path, int depth, Walk walk) {
        if (depth == path.names().size()) return Mono.just(at);
        if (!at.entry().isDirectory()) return Mono.error(notDirectory(at.path()));
        String name = path.names().get(depth);
        boolean isLast = depth + 1 == path.names().size();
        return open(at).lookup(name)
                .switchIfEmpty(Mono.error(() -> absent(path)))
                .flatMap(entry -> {
                    Resolved next = new Resolved(at.path().child(name), entry);
                    boolean isLink = entry.type() == DfsEntry.Type.SYMLINK && (!isLast || walk.followLast());
                    return isLink ? follow(next, path, depth + 1, walk) : walk(next, path, depth + 1, walk);
                });
    }

    private Mono<Resolved> follow(Resolved link, DfsPath path, int depth, Walk walk) {
        if (walk.links() >= LINKS_MAX) {
            return Mono.error(Fault.of(FaultCode.BADPATH, "'%s': more than %d links", path, LINKS_MAX)
                    .asException());
        }
        DfsPath target = link.path().parent().resolve(link.entry().linkTarget());
        for (String name : path.names().subList(depth, path.names().size())) target = target.child(name);
        return walk(new Resolved(DfsPath.ROOT, root), target, 0, new Walk(walk.followLast(), walk.links() + 1));
    }

    /** Makes the directory and those above it that are missing; {@code mode} is for the ones made. */
    public Mono<DfsDirectory> makeDirectories(DfsPath path, int mode) {
        if (path.isRoot()) return directory(path);
        return directory(path)
                .onErrorResume(
                        e -> codeOf(e) == FaultCode.NONEXIST,
                        e -> makeDirectories(path.parent(), mode)
                                .flatMap(parent ->
                                        makeDirectory(parent, path.name(), new DfsEntry.Attributes(mode, nowNs()))));
    }

    /** Makes or opens a directory; attributes are for a new one. NOTDIR when the name is taken by a file. */
    public Mono<DfsDirectory> makeDirectory(DfsDirectory parent, String name, DfsEntry.Attributes attributes) {
        DfsPath path = parent.path().child(name);
        Mono<DfsDirectory> existing = parent.lookup(name)
                .flatMap(entry -> entry.isDirectory() ? Mono.just(open(new Resolved(path, entry))) : directory(path));
        Mono<DfsDirectory> made = container
                .newId(ObjectId.Type.KEY_VALUE, directoryClass(container))
                .map(id -> DfsEntry.directory(attributes.mode(), attributes.mtimeNs(), id))
                .flatMap(entry -> parent.put(name, entry, Condition.INSERT)
                        .thenReturn(open(new Resolved(path, entry)))
                        .onErrorResume(e -> codeOf(e) == FaultCode.EXIST, e -> existing));
        return existing.switchIfEmpty(made);
    }

    /**
     * Writes a file: the content goes to a new object, four pieces at a time at the source's pace; then the name is set to
     * it, and the object it had before is freed. On failure or cancellation nothing of it can be seen, unless the answer to
     * the last step was lost: then the name has the old or the new content.
     */
    public Mono<DfsEntry> write(
            DfsDirectory parent, String name, DfsEntry.Attributes attributes, Flux<ByteBuffer> content) {
        return container.newId(ObjectId.Type.ARRAY, container.defaultClass()).flatMap(id -> {
            ArrayObject array = container.array(id, chunkBytes);
            return new FileWrite(array, attributes)
                    .run(content)
                    .onErrorResume(e -> clear(array).then(Mono.error(e)))
                    .flatMap(entry -> publish(parent, name, entry)
                            .onErrorResume(e -> Outcome.of(e) == Outcome.NOT_DONE
                                    ? clear(array).then(Mono.error(e))
                                    : Mono.error(e)));
        });
    }

    private static Mono<Void> clear(ArrayObject array) {
        return array.clear().onErrorResume(e -> Mono.empty());
    }

    private Mono<DfsEntry> publish(DfsDirectory parent, String name, DfsEntry entry) {
        return Attempts.run(() -> parent.find(name).flatMap(before -> replace(parent, before, entry)));
    }

    private Mono<DfsEntry> replace(DfsDirectory parent, DfsDirectory.Found before, DfsEntry entry) {
        marks.check(before, 0);
        if (before.isDirectory()) {
            throw Fault.of(FaultCode.EXIST, "'%s' is a directory", parent.path().child(before.name()))
                    .asException();
        }
        DfsEntry old = before.entry();
        Mono<Void> free = old == null ? Mono.empty() : free(old);
        return parent.set(before, entry)
                .onErrorMap(e -> Attempts.ofNewName(e, before))
                .then(free)
                .thenReturn(entry);
    }

    /** The space of what has no name any more; a failure only leaves garbage behind. */
    private Mono<Void> free(DfsEntry entry) {
        if (!entry.hasObject() || entry.isShared()) return Mono.empty();
        return container.object(entry.object()).punch().onErrorResume(e -> Mono.empty());
    }

    /** Content of a file at the consumer's pace; ends in CSUM if it is not what was once written. */
    public Flux<ByteBuffer> read(DfsEntry file) {
        return FileRead.verified(container.array(file.object(), file.chunkBytes()), file);
    }

    /** Follows links. INVAL for a directory. */
    public Flux<ByteBuffer> read(DfsPath path) {
        return resolve(path, true).flatMapMany(found -> {
            if (!found.entry().isFile()) {
                throw Fault.of(FaultCode.INVAL, "'%s' is a directory", path).asException();
            }
            return read(found.entry());
        });
    }

    public Mono<DfsEntry> makeLink(DfsDirectory parent, String name, String target, long mtimeNs) {
        return Mono.defer(() -> publish(parent, name, DfsEntry.link(target, mtimeNs)));
    }

    /** Changes mode and time of what is at the path, and nothing else of it. */
    public Mono<Void> setAttributes(DfsPath path, DfsEntry.Attributes attributes) {
        if (path.isRoot())
            return Attempts.run(() -> setRootAttributes(attributes)).then();
        return directory(path.parent())
                .flatMap(parent -> Attempts.run(() -> parent.find(path.name()).flatMap(found -> {
                    found.checkEntry();
                    DfsEntry entry = found.entry();
                    if (entry == null) throw absent(path);
                    return parent.set(found, entry.withAttributes(attributes));
                })))
                .then();
    }

    private Mono<Long> setRootAttributes(DfsEntry.Attributes attributes) {
        return container.catalogue().getVersioned(SUPERBLOCK).flatMap(found -> {
            Layout.Superblock now = Layout.readSuperblock(found.value());
            Layout.Superblock next =
                    new Layout.Superblock(now.chunkBytes(), now.root().withAttributes(attributes));
            return container.catalogue().put(SUPERBLOCK, Layout.write(next), found.version());
        });
    }

    /**
     * Gives a file or directory another name; an existing file of that name is replaced. One atomic step inside a directory.
     * Between two directories both names stand for it for a moment, and after a crash in that moment until one of them is
     * removed, or renamed to the other, again; it never has no name.
     */
    public Mono<Void> rename(DfsPath from, DfsPath to) {
        if (from.equals(to)) return stat(from).then();
        if (to.toString().startsWith(from + "/") || from.isRoot() || to.isRoot()) {
            return Mono.error(Fault.of(FaultCode.INVAL, "'%s' cannot become '%s'", from, to)
                    .asException());
        }
        return Mono.zip(directory(from.parent()), directory(to.parent()))
                .flatMap(both -> new Rename(
                                new Rename.Place(both.getT1(), from.name()),
                                new Rename.Place(both.getT2(), to.name()),
                                marks,
                                this::free)
                        .run());
    }

    /** Removes a file, a link, or a directory. INVAL for a directory that is not empty, unless {@code recursive}. */
    public Mono<Void> remove(DfsPath path, boolean recursive) {
        if (path.isRoot()) {
            return recursive
                    ? directory(path).flatMap(directory -> empty(directory, met()))
                    : Mono.error(Fault.of(FaultCode.INVAL, "the root cannot be removed")
                            .asException());
        }
        return directory(path.parent())
                .flatMap(parent -> Attempts.run(() -> parent.find(path.name()).flatMap(found -> {
                    if (!found.isThere()) throw absent(path);
                    return remove(parent, found, recursive, met()).thenReturn(true);
                })))
                .then();
    }

    /** As {@link #remove(DfsPath, boolean)}, for a name that is none: by its bytes, see {@link DfsDirectory.Named}. */
    public Mono<Void> remove(DfsDirectory parent, byte[] key, boolean recursive) {
        return Attempts.run(() -> parent.find(key).flatMap(found -> {
                    if (!found.isThere()) {
                        throw Fault.of(FaultCode.NONEXIST, "'%s' has no such name", parent.path())
                                .asException();
                    }
                    return remove(parent, found, recursive, met()).thenReturn(true);
                }))
                .then();
    }

    /** Directories that a removal has entered: one may hold itself, or be held twice. */
    private Set<ObjectId> met() {
        Set<ObjectId> met = ConcurrentHashMap.newKeySet();
        met.add(root.object());
        return met;
    }

    /** TX_RESTART when the name stands for something else by now. */
    private Mono<Void> remove(DfsDirectory parent, DfsDirectory.Found found, boolean recursive, Set<ObjectId> met) {
        DfsEntry entry = found.entry();
        // of bytes that are no entry only the name can be removed
        if (entry == null) return found.isThere() ? parent.remove(found) : Mono.empty();
        marks.check(found, 0);
        // The name goes first: a crash in between leaves garbage, never a name that leads nowhere.
        Mono<Void> unlink = parent.remove(found).then(free(entry));
        if (!entry.isDirectory()) return unlink;
        DfsPath path = parent.pathOf(found);
        DfsDirectory directory = open(new Resolved(path, entry));
        // what it holds may be wanted under its other name
        if (recursive && entry.isShared()) return unlink;
        // the one that is entered first frees it
        if (recursive && !met.add(entry.object())) return parent.remove(found);
        if (recursive) return empty(directory, met).then(unlink).doOnError(e -> met.remove(entry.object()));
        return directory
                .isEmpty()
                .flatMap(isEmpty -> isEmpty
                        ? unlink
                        : Mono.error(Fault.of(FaultCode.INVAL, "directory '%s' is not empty", path)
                                .remedy("remove it with --recursive")
                                .asException()));
    }

    private Mono<Void> empty(DfsDirectory directory, Set<ObjectId> met) {
        return directory
                .findAll()
                .flatMap(found -> removeListed(directory, found, met), REMOVALS_AT_ONCE)
                .then();
    }

    /** What others have removed or replaced since it was listed is looked at again. */
    private Mono<Void> removeListed(DfsDirectory directory, DfsDirectory.Found listed, Set<ObjectId> met) {
        return Mono.defer(() -> remove(directory, listed, true, met))
                .onErrorResume(
                        Attempts::isOvertaken,
                        e -> Attempts.run(() -> directory
                                        .find(listed.key())
                                        .flatMap(now -> remove(directory, now, true, met)
                                                .thenReturn(true)))
                                .then());
    }

    /** One group: a directory is small, and listing it asks one server. Directories spread by their ids. */
    private static ObjectClass.Named directoryClass(Container container) {
        return new ObjectClass.Named(container.defaultClass().objectClass(), 1);
    }

    private static FaultCode codeOf(Throwable error) {
        return FaultException.faultOf(error).code();
    }

    private static RuntimeException absent(DfsPath path) {
        return Fault.of(FaultCode.NONEXIST, "'%s' does not exist", path)
                .remedy("check the path")
                .asException();
    }

    private static RuntimeException notDirectory(DfsPath path) {
        return Fault.of(FaultCode.NOTDIR, "'%s' is not a directory", path).asException();
    }

    private static long nowNs() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
