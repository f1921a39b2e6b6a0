package io.daosmesh.cli.support;

import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.support.SupportReader;
import io.daosmesh.model.wire.SupportPart;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A folder, or one archive, that collections of hosts are written to piece by piece as they come, for the eyes of this user alone. What a
 * host calls its files cannot lead out of its own folder. Hosts may be written at the same time, a thread each; an archive takes
 * one file after the other, as they are complete. All else: the main thread.
 */
public final class SupportStore implements AutoCloseable {
    private static final int FILES_MAX = 2000;
    private static final long HOST_BYTES_MAX = SupportReader.ALL_BYTES_MAX + (64L << 20);

    private final Path place;
    private final @Nullable ZipOutputStream zip; // null = a folder
    private final Map<String, Tally> tallies = Collections.synchronizedMap(new TreeMap<>());
    private volatile boolean isBroken;
    private boolean isEmpty;

    /** What came of one host. @param cut names of files of which only the end came, or nothing */
    private record Tally(Set<String> files, List<String> cut, List<String> errors, long[] bytes) {}

    private SupportStore(Path place, @Nullable ZipOutputStream zip) {
        this.place = place;
        this.zip = zip;
    }

    /** EXIST for a place that holds something already, NO_PERM for one that cannot be made. */
    static SupportStore open(Path folder, boolean archive) {
        Path place = archive ? folder.resolveSibling(folder.getFileName() + ".zip") : folder;
        try {
            if (archive) {
                OutputStream out = Files.newOutputStream(
                        Files.createFile(place, only("rw-------")),
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
                return new SupportStore(place, new ZipOutputStream(out));
            }
            if (!Files.isDirectory(place)) Files.createDirectory(place, only("rwx------"));
            try (DirectoryStream<Path> there = Files.newDirectoryStream(place)) {
                if (there.iterator().hasNext()) throw exists(place);
            }
            return new SupportStore(place, null);
        } catch (java.nio.file.FileAlreadyExistsException e) {
            throw exists(place);
        } catch (IOException e) {
            throw cannotWrite(place, e);
        }
    }

    private static FileAttribute<?> only(String mode) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode));
    }

    private static FaultException exists(Path place) {
        return Fault.of(FaultCode.EXIST, "%s is there already", place)
                .remedy("give another folder with --target-folder")
                .asException();
    }

    private static FaultException cannotWrite(Path place, IOException e) {
        return Fault.of(FaultCode.NO_PERM, "%s cannot be written: %s", place, e)
                .remedy("give another folder with --target-folder, and see that there is space")
                .asException();
    }

    /** Takes all there is of one host; what the parts throw goes on. OVERFLOW for a host that sends without end. */
    public void write(String host, Iterator<SupportPart> parts) {
        Tally tally = new Tally(new HashSet<>(), new ArrayList<>(), new ArrayList<>(), new long[1]);
        tallies.put(host, tally);
        String folder = safe(host.replace(':', '_'));
        try (File file = new File(folder)) {
            while (parts.hasNext()) {
                SupportPart part = parts.next();
                tally.bytes[0] += part.getData().size();
                if (tally.files.size() >= FILES_MAX || tally.bytes[0] > HOST_BYTES_MAX) throw tooMuch(host);
                if (part.getIsFirst()) begin(file, tally, part);
                if (!part.getError().isEmpty()) tally.errors.add(part.getName() + ": " + part.getError());
                file.write(part);
            }
        } catch (IOException e) {
            isBroken = true;
            throw cannotWrite(place, e);
        }
    }

    /** Nothing more can be written here. */
    public boolean isBroken() {
        return isBroken;
    }

    private void begin(File file, Tally tally, SupportPart part) throws IOException {
        String name = safe(part.getName());
        if (!tally.files.add(name)) throw wrong(name + " comes twice");
        if (part.getCutBytes() > 0) tally.cut.add(name);
        file.begin(name);
    }

    private static FaultException wrong(String text) {
        return Fault.of(FaultCode.PROTO, "%s", text)
                .remedy("the node is of another release: use the tools of that one")
                .asException();
    }

    private static FaultException tooMuch(String host) {
        return Fault.of(
                        FaultCode.OVERFLOW,
                        "%s sends more than %d files or %d MiB",
                        host,
                        FILES_MAX,
                        HOST_BYTES_MAX >> 20)
                .remedy("take old files out of its log folder")
                .asException();
    }

    /** A path that goes down only. */
    private static String safe(String name) {
        List<String> parts = new ArrayList<>();
        for (String part : name.split("/")) {
            String plain = part.replaceAll("[^A-Za-z0-9._+-]", "_");
            if (!plain.isEmpty()) parts.add(plain.matches("\\.+") ? "_" : plain);
        }
        String joined = String.join("/", parts);
        if (joined.isEmpty()) return "unnamed";
        return joined.length() > 200 ? joined.substring(joined.length() - 200).replaceFirst("^/", "") : joined;
    }

    /** The file that is being written, in the folder or in the archive. */
    private final class File implements AutoCloseable {
        private final String folder;
        private @Nullable OutputStream out;
        /** Of the entry that waits for its end; of an archive only. */
        private String entry = "";

        private @Nullable Path waiting;

        File(String folder) {
            this.folder = folder;
        }

        void begin(String name) throws IOException {
            close();
            if (zip != null) {
                entry = folder + "/" + name;
                waiting =
                        Files.createTempFile(place.toAbsolutePath().getParent(), ".collect-log", "", only("rw-------"));
                out = Files.newOutputStream(waiting);
                return;
            }
            Path at = place.resolve(folder).resolve(name);
            Files.createDirectories(at.getParent());
            out = Files.newOutputStream(at, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }

        void write(SupportPart part) throws IOException {
            OutputStream to = out;
            if (to == null) throw wrong("a piece of " + part.getName() + " comes before its first one");
            part.getData().writeTo(to);
        }

        @Override
        public void close() throws IOException {
            OutputStream open = out;
            Path complete = waiting;
            ZipOutputStream archive = zip;
            out = null;
            waiting = null;
            if (open != null) open.close();
            if (complete == null || archive == null) return;
            try {
                synchronized (archive) {
                    archive.putNextEntry(new ZipEntry(entry));
                    Files.copy(complete, archive);
                    archive.closeEntry();
                }
            } finally {
                Files.deleteIfExists(complete);
            }
        }
    }

    public Path place() {
        return place;
    }

    public String text() {
        TextTable table = new TextTable("Host", "Files", "Size", "Cut");
        tallies.forEach((host, t) -> table.row(
                host, t.files.size(), ByteSize.format(t.bytes[0]), t.cut.isEmpty() ? null : String.join(", ", t.cut)));
        StringBuilder out = new StringBuilder(table.isEmpty() ? "" : table.render());
        tallies.forEach((host, t) -> t.errors.forEach(
                e -> out.append(host).append(": not read: ").append(e).append('\n')));
        if (isEmpty) return out.toString();
        return out.append("Collected in ").append(place).append('\n').toString();
    }

    public Map<String, ?> json(List<Map<String, ?>> hostErrors) {
        List<Map<String, ?>> hosts = new ArrayList<>();
        tallies.forEach((host, t) -> hosts.add(Json.object(
                "host", host, "files", t.files.size(), "size_bytes", t.bytes[0], "cut", t.cut, "not_read", t.errors)));
        return Json.object("host_errors", hostErrors, "hosts", hosts, "target", place.toString());
    }

    private void discard() throws IOException {
        isEmpty = true;
        if (zip != null) Files.deleteIfExists(place);
    }

    @Override
    public void close() {
        try {
            if (zip != null) zip.close();
            // nothing came: the same call may be made again
            if (tallies.values().stream().allMatch(t -> t.files.isEmpty())) discard();
        } catch (IOException e) {
            throw cannotWrite(place, e);
        }
    }
}
