package io.daosmesh.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Names of users and groups, and the threads that look them up. */
@Timeout(60)
class UserNamesTest {
    private static final Caller ALICE = new Caller("alice", "staff");

    @TempDir
    Path folder;

    private final AtomicLong nowNs = new AtomicLong();

    private UserNames names(Map<String, Agent.NamedUser> unnamed, String... program) {
        return new UserNames("here", unnamed, List.of(program), folder.resolve("group"), nowNs::get);
    }

    private void groupFile(String... lines) throws IOException {
        Files.write(folder.resolve("group"), List.of(lines));
    }

    /** A group whose name holds the name of another must not give that one's rights. */
    @Test
    void shouldNotTakeAPartOfANameForAGroup() {
        User user = names(Map.of(), "printf", "staff\\0domain wheel\\0wheel:x\\0a@b\\0labs\\0%.0s")
                .of(ALICE);

        assertEquals(List.of("staff@", "labs@"), user.groups());
        assertEquals("alice@", user.user());
        assertEquals("staff@", user.group());
        assertEquals("here", user.machine());
    }

    @Test
    void shouldReadTheGroupFileWhenTheProgramFails() throws IOException {
        groupFile("labs:x:7:bob,alice", "wheel:x:8:malice", "broken", "users:x:9:alice");

        for (String program : List.of("false", folder.resolve("absent").toString())) {
            assertEquals(
                    List.of("staff@", "labs@", "users@"),
                    names(Map.of(), program).of(ALICE).groups());
        }
    }

    @Test
    void shouldNotWaitForAProgramThatHangs() throws IOException {
        groupFile("labs:x:7:alice");

        User user = names(Map.of(), "sleep", "100").of(new Caller("1000", "staff"));

        assertEquals(List.of("staff@"), user.groups());
    }

    @Test
    void shouldRememberForAMinute() throws IOException {
        groupFile("labs:x:7:alice");
        UserNames names = names(Map.of(), "false");
        assertEquals(List.of("staff@", "labs@"), names.of(ALICE).groups());
        groupFile("other:x:7:alice");

        assertEquals(List.of("staff@", "labs@"), names.of(ALICE).groups());
        nowNs.addAndGet(Duration.ofSeconds(61).toNanos());
        assertEquals(List.of("staff@", "other@"), names.of(ALICE).groups());
        groupFile("third:x:7:alice");
        names.forget();
        assertEquals(List.of("staff@", "third@"), names.of(ALICE).groups());
    }

    @Test
    void shouldNameUsersThatTheMachineHasNoNameFor() throws IOException {
        groupFile();
        Map<String, Agent.NamedUser> map = Map.of(
                "1000",
                new Agent.NamedUser("ralph", "stanley", List.of("band")),
                Agent.ANY_UNNAMED,
                new Agent.NamedUser("guest", "guests", List.of()));

        assertEquals(
                new User("ralph@", "stanley@", List.of("stanley@", "band@"), "here"),
                names(map, "false").of(new Caller("1000", "1000")));
        assertEquals("guest@", names(map, "false").of(new Caller("1001", "0")).user());
        assertEquals("alice@", names(map, "false").of(ALICE).user());
        assertEquals(
                "1000@", names(Map.of(), "false").of(new Caller("1000", "5")).user());
    }

    @Test
    void shouldRefuseAUserThatCannotBeNamed() throws IOException {
        groupFile();

        for (String name : List.of("a b", "a:b", "a@b", "", "é")) {
            FaultException refused = assertThrows(
                    FaultException.class, () -> names(Map.of(), "false").of(new Caller(name, "staff")));
            assertEquals(FaultCode.INVAL, refused.fault().code());
        }
    }

    @Test
    void shouldBoundGroups() throws IOException {
        String[] lines = new String[User.GROUPS_MAX + 20];
        for (int i = 0; i < lines.length; i++) lines[i] = "g" + i + ":x:" + i + ":alice";
        groupFile(lines);

        assertEquals(
                User.GROUPS_MAX, names(Map.of(), "false").of(ALICE).groups().size());
    }

    /** Who has a thousand tasks waiting delays another user's only one by one. */
    @Test
    void shouldWorkForUsersInTurn() throws Exception {
        try (FairWorkers workers = new FairWorkers(1)) {
            CountDownLatch begin = new CountDownLatch(1);
            CountDownLatch aliceDone = new CountDownLatch(1);
            AtomicLong before = new AtomicLong();
            workers.run("mallory", () -> awaitQuietly(begin));
            for (int i = 0; i < 1000; i++) workers.run("mallory", before::incrementAndGet);
            workers.run("mallory", () -> {
                throw new IllegalStateException("one that fails ends nothing");
            });
            AtomicLong seen = new AtomicLong();
            workers.run("alice", () -> {
                seen.set(before.get());
                aliceDone.countDown();
            });

            begin.countDown();

            assertTrue(aliceDone.await(20, TimeUnit.SECONDS));
            assertTrue(seen.get() <= 1, seen.toString());
            assertFalse(before.get() < 0);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
