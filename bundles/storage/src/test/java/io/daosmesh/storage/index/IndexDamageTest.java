package io.daosmesh.storage.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.pmem.PmemDriver;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.scm.ScmFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever happens to the files of an index: afterwards every acknowledged record is there, or the index says that it is
 * damaged. Never fewer records without a word.
 */
@Timeout(180)
class IndexDamageTest {
    private static final int RECORDS = 60;

    @TempDir
    Path folder;

    private final PmemDriver pmem = new PmemDriver("1");
    private ScmFolder scm;
    private Path index;

    @BeforeEach
    void format() {
        scm = scm(folder.resolve("scm"));
        IndexFixture.format(scm, IndexFixture.SMALL);
        index = scm.index(0);
    }

    @AfterEach
    void close() {
        pmem.close();
    }

    private ScmFolder scm(Path at) {
        return IndexFixture.scm(pmem, at);
    }

    private static byte[] key(int n) {
        return ByteBuffer.allocate(4).putInt(n).array();
    }

    /** Long enough that a log and a table have several blocks. */
    private static byte[] value(int n) {
        byte[] value = new byte[2000];
        for (int i = 0; i < value.length; i++) value[i] = (byte) (n * 31 + i);
        return value;
    }

    private static void write(KvStore kv, int from, int to) {
        for (int n = from; n < to; n++) kv.write(new KvBatch().put(key(n), value(n)), true);
    }

    private static EngineIndexes open(ScmFolder at) {
        return IndexFixture.indexes(at);
    }

    private void writeAndStop(int from, int to) {
        try (EngineIndexes open = open(scm)) {
            write(open.kv(0), from, to);
        }
    }

    /** What a process that is killed now would leave: a copy during which tables were neither made nor dropped. */
    private ScmFolder crashImage(String name) throws IOException {
        Path image = folder.resolve(name);
        Path live = folder.resolve("scm");
        for (int tries = 0; tries < 100; tries++) {
            try {
                Map<Path, FileTime> before = times(live);
                copy(live, image);
                if (before.equals(times(live))) return scm(image);
            } catch (NoSuchFileException | UncheckedIOException e) {
                // a table was dropped between the look and the copy
            }
            if (Files.exists(image)) delete(image);
        }
        throw new AssertionError("the files never stood still");
    }

    private static Map<Path, FileTime> times(Path tree) throws IOException {
        Map<Path, FileTime> times = new HashMap<>();
        List<Path> all;
        try (Stream<Path> walk = Files.walk(tree)) {
            all = walk.filter(Files::isRegularFile).toList();
        }
        for (Path p : all) times.put(p, Files.getLastModifiedTime(p));
        return times;
    }

    private static void copy(Path from, Path to) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(from)) {
            all = walk.toList();
        }
        for (Path p : all) Files.copy(p, to.resolve(from.relativize(p).toString()));
    }

    private static void delete(Path tree) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(tree)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path p : all) Files.delete(p);
    }

    private interface Damage {
        void apply(Path file, byte[] content) throws IOException;
    }

    private static Damage flip(double where) {
        return (file, content) -> {
            if (content.length == 0) return;
            byte[] changed = content.clone();
            changed[(int) Math.min(changed.length - 1L, (long) (changed.length * where))] ^= 0x10;
            Files.write(file, changed);
        };
    }

    private static Damage truncate(double where) {
        return (file, content) -> Files.write(file, java.util.Arrays.copyOf(content, (int) (content.length * where)));
    }

    private static List<Damage> damages() {
        List<Damage> all = new ArrayList<>();
        for (double where : new double[] {0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999}) {
            all.add(flip(where));
            all.add(truncate(where));
        }
        all.add((file, content) -> Files.delete(file));
        return all;
    }

    /** Every damage to every file of the target, each in a fresh copy; answers how many were found. */
    private int damageEach(ScmFolder whole, int acknowledged) throws IOException {
        Path root = whole.root();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(root)) {
            files = walk.filter(Files::isRegularFile).map(root::relativize).toList();
        }
        int found = 0;
        int tried = 0;
        for (Path file : files) {
            for (Damage damage : damages()) {
                Path copy = folder.resolve("damaged");
                copy(root, copy);
                byte[] content = Files.readAllBytes(copy.resolve(file));
                damage.apply(copy.resolve(file), content);
                if (isFoundDamaged(scm(copy), acknowledged, file + " damage " + tried)) found++;
                tried++;
                delete(copy);
            }
        }
        assertTrue(tried > 50, "the matrix has " + tried);
        return found;
    }

    /** False when all that was acknowledged is there, as it was. */
    private boolean isFoundDamaged(ScmFolder at, int acknowledged, String what) {
        boolean isFound = readIsDamaged(at, acknowledged, what);
        // a second start must not see it otherwise
        if (isFound) assertTrue(readIsDamaged(at, acknowledged, what), what + " is found again");
        return isFound;
    }

    private boolean readIsDamaged(ScmFolder at, int acknowledged, String what) {
        try (EngineIndexes open = open(at)) {
            TreeSet<Integer> missing = new TreeSet<>();
            for (int n = 0; n < acknowledged; n++) {
                byte[] got = open.kv(0).get(key(n));
                if (got == null) missing.add(n);
                else assertEquals(ByteBuffer.wrap(value(n)), ByteBuffer.wrap(got), what);
            }
            try (KvCursor c = open.kv(0).cursor(KvRange.all())) {
                while (c.next()) c.value();
            }
            assertEquals(new TreeSet<>(), missing, what + ": missing without a word");
            assertNull(open.kv(0).damage(), what);
            return false;
        } catch (FaultException e) {
            assertEquals(FaultCode.DF_INVAL, e.code(), what + ": " + e.getMessage());
            return true;
        }
    }

    @Test
    void shouldLoseNothingSilentlyWhateverHappensToACleanlyStoppedIndex() throws IOException {
        writeAndStop(0, RECORDS / 2);
        writeAndStop(RECORDS / 2, RECORDS);

        int found = damageEach(scm, RECORDS);

        assertTrue(found > 20, "found " + found);
    }

    /** Up to the last note, and what later frames of the log are witness of. */
    @Test
    void shouldLoseNothingNotedSilentlyWhateverHappensToAKilledIndex() throws IOException {
        writeAndStop(0, 10);
        try (EngineIndexes open = open(scm)) {
            write(open.kv(0), 10, 40);
            open.note();
            write(open.kv(0), 40, RECORDS);
            ScmFolder image = crashImage("image");

            assertTrue(!isFoundDamaged(scm(copied(image, "undamaged")), RECORDS, "nothing"), "a kill is no damage");
            int found = damageEach(image, 40);

            assertTrue(found > 10, "found " + found);
        }
    }

    private Path copied(ScmFolder from, String name) throws IOException {
        Path to = folder.resolve(name);
        copy(from.root(), to);
        return to;
    }

    /** Tables, logs of several generations and logs that are used again. */
    @Test
    void shouldLoseNothingNotedSilentlyWhenSeveralLogsAreInUse() throws IOException {
        try (EngineIndexes open = open(scm)) {
            KvBatch big = new KvBatch();
            for (int round = 0; round < 12; round++) {
                for (int i = 0; i < 2; i++) {
                    big.clear();
                    for (int k = 0; k < 100; k++) big.put(key(1_000_000 + k), value(round + k));
                    open.kv(0).write(big, true);
                }
                write(open.kv(0), round * 5, round * 5 + 5);
            }
            open.note();
            ScmFolder image = crashImage("image");

            assertTrue(!isFoundDamaged(scm(copied(image, "undamaged")), RECORDS, "nothing"), "a kill is no damage");
            List<Path> logs;
            try (Stream<Path> files = Files.list(image.root())) {
                logs = files.filter(f -> f.getFileName().toString().startsWith("log-"))
                        .toList();
            }
            for (Path log : logs) {
                for (double where : new double[] {0.01, 0.3, 0.6, 0.9}) {
                    for (Damage damage : List.of(flip(where), truncate(where))) damageCopy(image, log, damage);
                }
                damageCopy(image, log, (file, content) -> Files.delete(file));
            }
        }
    }

    private void damageCopy(ScmFolder image, Path file, Damage damage) throws IOException {
        Path copy = copied(image, "damaged");
        Path in = copy.resolve(image.root().relativize(file).toString());
        damage.apply(in, Files.readAllBytes(in));
        isFoundDamaged(scm(copy), RECORDS, file.getFileName().toString());
        delete(copy);
    }

    @Test
    void shouldFindAnIndexThatIsGoneEmptiedOlderOrAnother() throws IOException {
        writeAndStop(0, 20);
        Path older = folder.resolve("older-index");
        copy(index, older);
        // twice: the log of the life before is not needed any more
        writeAndStop(20, 40);
        writeAndStop(40, RECORDS);
        ScmFolder foreign = scm(folder.resolve("foreign"));
        IndexFixture.format(foreign, IndexFixture.SMALL);
        try (EngineIndexes other = open(foreign)) {
            write(other.kv(0), 0, 3 * RECORDS);
        }
        Path kept = folder.resolve("kept");
        copy(folder.resolve("scm"), kept);

        for (String place : List.of("gone", "empty", "older", "another")) {
            Path copy = folder.resolve(place);
            copy(kept, copy);
            Path at = copy.resolve("target-0");
            delete(at);
            if (place.equals("empty")) Files.createDirectory(at);
            if (place.equals("older")) copy(older, at);
            if (place.equals("another")) copy(foreign.index(0), at);
            assertTrue(isFoundDamaged(scm(copy), RECORDS, place), place);
        }
    }

    /** Its sizes are said by each of its headers: none is guessed, and records outlive the loss of what is not needed. */
    @Test
    void shouldKeepTheSizesOfTheLogWhateverOfItIsLost() throws IOException {
        writeAndStop(0, RECORDS);
        for (String lost : List.of("log-in-use.note", "log-0", "log-5")) {
            Path copy = copied(scm, "without-" + lost);
            Files.delete(copy.resolve(lost));
            try (EngineIndexes open = open(scm(copy))) {
                assertEquals(IndexFixture.SMALL, open.log().limits(), lost);
                write(open.kv(0), RECORDS, 2 * RECORDS);
            }
            assertFalse(isFoundDamaged(scm(copy), 2 * RECORDS, lost));
        }
    }

    /** Put back as it was, it stays out: what it missed meanwhile nobody knows. */
    @Test
    void shouldStayDamagedUntilItIsFormattedAnew() throws IOException {
        writeAndStop(0, RECORDS);
        Path kept = folder.resolve("kept");
        Files.move(index, kept);
        assertTrue(readIsDamaged(scm, RECORDS, "gone"));
        if (Files.exists(index)) delete(index);
        Files.move(kept, index);

        assertTrue(readIsDamaged(scm, RECORDS, "back"));
        scm.erase();
        IndexFixture.format(scm, IndexFixture.SMALL);

        try (EngineIndexes open = open(scm)) {
            assertNull(open.kv(0).damage());
            assertNull(open.kv(0).get(key(1)));
        }
    }

    @Test
    void shouldSayWhatIsMissingAndWhatToDo() throws IOException {
        writeAndStop(0, RECORDS);
        delete(index);

        try (EngineIndexes open = open(scm)) {
            Fault damage = assertNotNullFault(open.kv(0).damage());
            assertEquals(FaultCode.DF_INVAL, damage.code());
            assertTrue(damage.message().contains("target-0"), damage.message());
            assertTrue(damage.remedy().contains("storage format"), damage.remedy());
            assertThrows(FaultException.class, () -> open.kv(0).write(new KvBatch().put(key(1), key(1)), true));
        }
    }

    private static Fault assertNotNullFault(Fault damage) {
        assertNotNull(damage);
        return damage;
    }
}
