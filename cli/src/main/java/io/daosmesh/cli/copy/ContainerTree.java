package io.daosmesh.cli.copy;

import io.daosmesh.client.Container;
import io.daosmesh.client.dfs.Dfs;
import io.daosmesh.client.dfs.DfsDirectory;
import io.daosmesh.client.dfs.DfsEntry;
import io.daosmesh.client.dfs.DfsPath;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Part of a container's file system. Any thread; directories it has opened are remembered, a bounded number of them. */
public final class ContainerTree implements FileTree {
    private static final int DIRECTORIES_MAX = 1024;

    private final Dfs dfs;
    private final DfsPath start;
    private final Map<DfsPath, DfsDirectory> opened = Collections.synchronizedMap(new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<DfsPath, DfsDirectory> eldest) {
            return size() > DIRECTORIES_MAX;
        }
    });

    public ContainerTree(Dfs dfs, DfsPath start) {
        this.dfs = dfs;
        this.start = start;
    }

    private DfsPath at(String path) {
        return path.isEmpty()
                ? start
                : new DfsPath(
                        java.util.stream.Stream.concat(start.names().stream(), java.util.Arrays.stream(path.split("/")))
                                .toList());
    }

    @Override
    public Mono<String> place() {
        Container c = dfs.container();
        return place(start)
                .map(p -> "daos://" + c.poolMap().pool() + "/" + c.info().uuid() + p);
    }

    private Mono<DfsPath> place(DfsPath path) {
        if (path.isRoot()) return Mono.just(path);
        return dfs.directory(path)
                .map(DfsDirectory::path)
                .onErrorResume(
                        ContainerTree::isNoDirectory, e -> place(path.parent()).map(p -> p.child(path.name())));
    }

    private static boolean isNoDirectory(Throwable error) {
        FaultCode code = FaultException.faultOf(error).code();
        return code == FaultCode.NONEXIST || code == FaultCode.NOTDIR;
    }

    private Mono<DfsDirectory> directory(DfsPath path) {
        return Mono.defer(() -> {
            DfsDirectory known = opened.get(path);
            if (known != null) return Mono.just(known);
            return dfs.directory(path).doOnNext(found -> opened.put(path, found));
        });
    }

    public static Item item(String path, DfsEntry entry) {
        Type type = switch (entry.type()) {
            case FILE -> Type.FILE;
            case DIRECTORY -> Type.DIRECTORY;
            case SYMLINK -> Type.LINK;
        };
        String identity = entry.isDirectory() ? entry.object().toString() : "";
        return new Item(path, type, entry.mode(), entry.mtimeNs(), entry.size(), entry.linkTarget(), identity);
    }

    private Mono<DfsEntry> entry(DfsPath path) {
        if (path.isRoot()) return dfs.stat(path);
        return directory(path.parent()).flatMap(parent -> parent.lookup(path.name()));
    }

    @Override
    public Mono<Item> stat(String path) {
        return entry(at(path))
                .map(found -> item(path, found))
                .onErrorResume(e -> FaultException.faultOf(e).code() == FaultCode.NONEXIST, e -> Mono.empty());
    }

    @Override
    public Flux<Item> list(String path) {
        return directory(at(path)).flatMapMany(DfsDirectory::list).map(named -> item(path, named));
    }

    private Item item(String path, DfsDirectory.Named named) {
        String prefix = path.isEmpty() ? "" : path + "/";
        DfsEntry entry = named.entry();
        if (entry == null || !named.isUsable()) return Item.unusable(prefix + named.shown(), named.problem());
        boolean isDeep =
                start.names().size() + prefix.chars().filter(c -> c == '/').count() >= DfsPath.DEPTH_MAX;
        return isDeep
                ? Item.unusable(prefix + named.name(), "it is deeper than " + DfsPath.DEPTH_MAX + " directories")
                : item(prefix + named.name(), entry);
    }

    @Override
    public Flux<ByteBuffer> read(String path) {
        DfsPath at = at(path);
        return entry(at)
                .switchIfEmpty(Mono.error(() ->
                        Fault.of(FaultCode.NONEXIST, "'%s' does not exist", at).asException()))
                .flatMapMany(dfs::read);
    }

    @Override
    public Mono<Void> makeDirectory(String path, int mode) {
        DfsPath at = at(path);
        return dfs.makeDirectories(at, mode)
                .doOnNext(made -> opened.put(at, made))
                .then();
    }

    @Override
    public Mono<Void> write(Item item, Flux<ByteBuffer> content) {
        DfsPath at = at(item.path());
        return directory(at.parent())
                .flatMap(parent ->
                        dfs.write(parent, at.name(), new DfsEntry.Attributes(item.mode(), item.mtimeNs()), content))
                .then();
    }

    @Override
    public Mono<Void> makeLink(Item item) {
        DfsPath at = at(item.path());
        return directory(at.parent())
                .flatMap(parent -> dfs.makeLink(parent, at.name(), item.text(), item.mtimeNs()))
                .then();
    }

    @Override
    public Mono<Void> setAttributes(String path, int mode, long mtimeNs) {
        return dfs.setAttributes(at(path), new DfsEntry.Attributes(mode, mtimeNs));
    }
}
