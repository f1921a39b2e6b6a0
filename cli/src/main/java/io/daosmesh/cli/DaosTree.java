package io.daosmesh.cli;

import java.nio.ByteBuffer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A tree of files that can be copied from and to: a local folder, or the file system of a container. Any thread. */
interface DaosTree {
    /** What an item is; {@code OTHER} (sockets, devices) is not copied. */
    enum Type {
        FILE,
        DIRECTORY,
        LINK,
        OTHER
    }

    /**
     * One name in a tree.
     *
     * @param path relative to the tree's start, {@code a/b}; empty = the start itself
     * @param linkTarget of links, else empty
     */
    record Item(String path, Type type, int mode, long mtimeNs, long size, String linkTarget) {
        String name() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        String parent() {
            int slash = path.lastIndexOf('/');
            return slash < 0 ? "" : path.substring(0, slash);
        }

        /** The same content as far as size and time tell; local times are only good to a microsecond. */
        boolean looksLike(Item other) {
            return type == other.type && size == other.size && mtimeNs / 1000 == other.mtimeNs / 1000;
        }

        Item at(String otherPath) {
            return new Item(otherPath, type, mode, mtimeNs, size, linkTarget);
        }
    }

    /** Where the tree's start is, however it was named: links are followed as far as there is something. */
    Mono<String> place();

    /** Empty when there is nothing. */
    Mono<Item> stat(String path);

    /** Items of a directory, at the consumer's pace. */
    Flux<Item> list(String path);

    /** Content of a file. Buffers belong to the consumer. */
    Flux<ByteBuffer> read(String path);

    /** Makes or keeps a directory. */
    Mono<Void> makeDirectory(String path, int mode);

    /** Writes a file with mode and time; it appears when complete. */
    Mono<Void> write(Item item, Flux<ByteBuffer> content);

    Mono<Void> makeLink(Item item);

    Mono<Void> setAttributes(String path, int mode, long mtimeNs);
}
