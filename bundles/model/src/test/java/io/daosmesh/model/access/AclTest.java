package io.daosmesh.model.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AclTest {
    private static final String OWNER = "ada@";
    private static final String GROUP = "labs@";

    private static User user(String name, String group, String... groups) {
        return new User(name, group, List.of(groups), "node1");
    }

    /** Who asks is {@code name/primary/other...}; the owner is ada@ of labs@. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // as owner only what OWNER@ says
                "A::OWNER@:r A::ada@:rw A:G:GROUP@:rwd A::EVERYONE@:t | ada@/labs@ | r",
                "A::OWNER@: A::ada@:rw A:G:GROUP@:rwd A::EVERYONE@:t | ada@/labs@ | ''",
                // an owner without an entry is a user like any other
                "A::ada@:rw A:G:GROUP@:d | ada@/labs@ | rw",
                "A:G:GROUP@:d | ada@/labs@ | d",
                "A::EVERYONE@:t | ada@/labs@ | t",
                // as user only what the user's entry says
                "A::OWNER@:r A::bob@:w A:G:GROUP@:d A::EVERYONE@:t | bob@/labs@ | w",
                "A::bob@: A:G:GROUP@:rw A::EVERYONE@:rw | bob@/labs@ | ''",
                // all groups together
                "A:G:GROUP@:r A:G:ops@:w A:G:dev@:d A::EVERYONE@:t | eve@/labs@/ops@ | rw",
                "A:G:GROUP@:r A:G:ops@:w | eve@/users@/ops@ | w",
                "A:G:GROUP@: A:G:ops@:w | eve@/labs@/ops@ | w",
                "A:G:ops@: A::EVERYONE@:rw | eve@/users@/ops@ | ''",
                // everyone else
                "A::OWNER@:rw A::bob@:w A:G:GROUP@:d A::EVERYONE@:t | eve@/users@ | t",
                "A::OWNER@:rw A::bob@:w A:G:GROUP@:d | eve@/users@ | ''",
                // a user is not the group of the same name
                "A::ops@:rw | eve@/users@/ops@ | ''",
                "A:G:eve@:rw | eve@/users@ | ''",
                "'' | ada@/labs@ | ''",
            })
    void shouldDecideByTheFirstKindOfEntryThatSpeaksOfTheUser(String acl, String who, String wanted) {
        String[] names = who.split("/");
        User user = user(names[0], names[1], java.util.Arrays.copyOfRange(names, 2, names.length));

        Permissions p =
                Acl.of(acl.isEmpty() ? List.of() : List.of(acl.split(" "))).permissions(user, OWNER, GROUP);

        assertEquals(wanted, p.toString());
    }

    @Test
    void shouldLetAContainersOwnerAlwaysSeeAndSetTheList() {
        Guarded shut = new Guarded(Guarded.Kind.CONTAINER, OWNER, GROUP, Acl.of("A::OWNER@:"));
        Guarded pool = new Guarded(Guarded.Kind.POOL, OWNER, GROUP, Acl.of("A::OWNER@:"));

        assertEquals("aA", shut.permissions(user(OWNER, "users@")).toString());
        assertEquals("", shut.permissions(user("bob@", GROUP)).toString());
        assertEquals("", pool.permissions(user(OWNER, GROUP)).toString());
    }

    @Test
    void shouldWriteEntriesInCanonicalOrder() {
        Acl acl = Acl.of("A::EVERYONE@:tr", "A:G:zoo@:r", "A::bob@:dwr", "A:G:GROUP@:wr", "A::amy@:", "A::OWNER@:oATw");

        assertEquals(
                List.of("A::OWNER@:wTAo", "A::amy@:", "A::bob@:rwd", "A:G:GROUP@:rw", "A:G:zoo@:r", "A::EVERYONE@:rt"),
                acl.lines());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":::",
                "A",
                "A::OWNER@",
                "A::OWNER@:r:w",
                "a::OWNER@:r",
                "D::OWNER@:r",
                "A:F:bob@:r",
                "A:g:labs@:r",
                "A:GG:labs@:r",
                "A::GROUP@:r",
                "A:G:OWNER@:r",
                "A:G:EVERYONE@:r",
                "A::bob:r",
                "A::@:r",
                "A::bob@domain:r",
                "A::b@b@:r",
                "A::bo b@:r",
                "A::bob@:x",
                "A::bob@:r w",
                "A::bob@:R",
                "A::b\u0000b@:r",
                "A::b\u00f6b@:r",
                " A::bob@:r",
                "A::bob@:r\n"
            })
    void shouldRefuseWhatIsNoEntry(String text) {
        FaultException e = assertThrows(FaultException.class, () -> Acl.of(text));

        assertEquals(FaultCode.INVAL, e.code());
        assertTrue(
                e.fault().text().chars().allMatch(c -> c >= ' ' && c < 0x7f),
                e.fault().text());
    }

    @Test
    void shouldRefuseTwoEntriesOfOnePrincipal() {
        assertThrows(FaultException.class, () -> Acl.of("A::bob@:r", "A::bob@:w"));

        assertEquals(2, Acl.of("A::bob@:r", "A:G:bob@:w").entries().size());
    }

    @Test
    void shouldRefusePermissionsThatMeanNothing() {
        assertThrows(
                FaultException.class, () -> new Guarded(Guarded.Kind.CONTAINER, OWNER, GROUP, Acl.of("A::bob@:c")));
        for (String p : "T a A o".split(" ")) {
            assertThrows(
                    FaultException.class, () -> new Guarded(Guarded.Kind.POOL, OWNER, GROUP, Acl.of("A::bob@:" + p)));
        }
    }

    @Test
    void shouldTakeAListAsLargeAsDaosDoes() {
        List<String> special =
                IntStream.range(0, 204).mapToObj(i -> "A::u" + i + "@:r").toList();
        List<String> more = new ArrayList<>(special);
        more.add("A::one-more@:r");

        assertEquals(204, Acl.of(special).entries().size());
        assertEquals(
                FaultCode.OVERFLOW,
                assertThrows(FaultException.class, () -> Acl.of(more)).code());
    }

    @Test
    void shouldReadAFile() {
        Acl acl = Acl.parseFile("# Owner: ada@\n# Entries:\n\n  A::OWNER@:rw  \r\n#A::bob@:rw\nA::EVERYONE@:\n");

        assertEquals(List.of("A::OWNER@:rw", "A::EVERYONE@:"), acl.lines());
    }

    @Test
    void shouldChangeOneEntry() {
        Acl acl = Acl.of("A::OWNER@:rw", "A::bob@:r").updated(Acl.of("A::bob@:w", "A:G:labs@:r"));

        assertEquals(List.of("A::OWNER@:rw", "A::bob@:w", "A:G:labs@:r"), acl.lines());
        assertEquals(
                List.of("A::OWNER@:rw", "A:G:labs@:r"),
                acl.without(Principal.parse("u:bob@")).lines());
        assertEquals(
                FaultCode.NONEXIST,
                assertThrows(FaultException.class, () -> acl.without(Principal.parse("g:bob@")))
                        .code());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "bob@", "u:", "u:bob", "x:bob@", "u:OWNER@", "g:GROUP@", "u:a:b@", "owner@"})
    void shouldRefuseWhatIsNoPrincipal(String text) {
        assertEquals(
                FaultCode.INVAL,
                assertThrows(FaultException.class, () -> Principal.parse(text)).code());
    }

    /** Random lists: what is written reads back the same, whatever the order; nobody gets more than the union of all entries. */
    @Test
    void shouldReadBackWhatItWritesAndNeverGiveMoreThanItHolds() {
        for (long seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            TreeMap<Principal, Ace> entries = new TreeMap<>();
            for (int i = random.nextInt(8); i > 0; i--) {
                Ace ace = new Ace(principal(random), new Permissions(random.nextInt(1 << 9)));
                entries.put(ace.principal(), ace);
            }
            List<String> lines =
                    new ArrayList<>(entries.values().stream().map(Ace::toString).toList());
            Collections.shuffle(lines, random);

            Acl acl = Acl.of(lines);

            String message = "seed " + seed;
            assertEquals(List.copyOf(entries.values()), acl.entries(), message);
            assertEquals(acl, Acl.parseFile("# " + message + "\n" + acl), message);
            User user =
                    user("n" + random.nextInt(4) + "@", "n" + random.nextInt(4) + "@", "n" + random.nextInt(4) + "@");
            Permissions given = acl.permissions(user, "n0@", "n1@");
            Permissions all =
                    entries.values().stream().map(Ace::permissions).reduce(Permissions.NONE, Permissions::and);
            assertEquals(given, given.only(all), message);
        }
    }

    private static Principal principal(Random random) {
        String name = "n" + random.nextInt(4) + "@";
        return switch (random.nextInt(5)) {
            case 0 -> Principal.OWNER;
            case 1 -> Principal.OWNER_GROUP;
            case 2 -> Principal.EVERYONE;
            case 3 -> Principal.user(name);
            default -> Principal.group(name);
        };
    }

    /** Arbitrary text is either an entry or one clear refusal. */
    @Test
    void shouldRefuseGarbageClearly() {
        String letters = "A:G@rwOWNER\n \u0000#bob\u00fc";
        for (long seed = 0; seed < 5000; seed++) {
            Random random = new Random(seed);
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(30); i > 0; i--) text.append(letters.charAt(random.nextInt(letters.length())));
            try {
                Acl acl = Acl.of(text.toString());
                assertEquals(acl, Acl.of(acl.lines()));
            } catch (FaultException e) {
                assertEquals(FaultCode.INVAL, e.code(), "seed " + seed);
            }
        }
    }
}
