package io.daosmesh.agent;

import io.daosmesh.model.access.User;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a user of what the kernel says about a process: names with @, and all groups. Any thread: one lock around what it
 * remembers. May block for as long as a program may take: for workers only.
 */
final class UserNames {
    private static final Logger log = LoggerFactory.getLogger(UserNames.class);

    private static final int REMEMBERED_MAX = 4096;
    private static final long REMEMBERED_NS = Duration.ofMinutes(1).toNanos();
    private static final Duration PROGRAM_LIMIT = Duration.ofSeconds(2);
    private static final int OUTPUT_BYTES_MAX = 64 << 10;

    private record Remembered(List<String> groups, long endNs) {}

    private final String machine;
    private final Map<String, Agent.NamedUser> unnamed;
    private final List<String> program;
    private final Path groupFile;
    private final LongSupplier clockNs;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Remembered> remembered = new LinkedHashMap<>();

    UserNames(String machine, Map<String, Agent.NamedUser> unnamed) {
        this(machine, unnamed, List.of("id", "-Gnz", "--"), Path.of("/etc/group"), System::nanoTime);
    }

    /** @param program prints the names of a user's groups, a NUL after each: names of groups may hold blanks */
    UserNames(
            String machine,
            Map<String, Agent.NamedUser> unnamed,
            List<String> program,
            Path groupFile,
            LongSupplier clockNs) {
        this.machine = machine;
        this.unnamed = Map.copyOf(unnamed);
        this.program = List.copyOf(program);
        this.groupFile = groupFile;
        this.clockNs = clockNs;
    }

    /** INVAL when the names cannot stand in an access control list. */
    User of(Caller caller) {
        Agent.NamedUser mapped =
                isNumber(caller.user()) ? unnamed.getOrDefault(caller.user(), unnamed.get(Agent.ANY_UNNAMED)) : null;
        if (mapped != null) return user(mapped.user(), mapped.group(), mapped.groups());
        return user(caller.user(), caller.group(), groups(caller.user()));
    }

    private User user(String user, String group, List<String> others) {
        Set<String> groups = new LinkedHashSet<>();
        groups.add(group + "@");
        for (String other : others) {
            if (!isNameable(other)) log.debug("group '{}' of {} cannot be named in a list", other, user);
            else if (groups.size() < User.GROUPS_MAX) groups.add(other + "@");
            else log.warn("user {} is in more than {} groups: {} is left out", user, User.GROUPS_MAX, other);
        }
        return new User(user + "@", group + "@", List.copyOf(groups), machine);
    }

    private static boolean isNumber(String name) {
        return !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean isNameable(String name) {
        return !name.isEmpty()
                && name.length() < User.NAME_MAX
                && name.chars().allMatch(c -> c > ' ' && c < 0x7f && c != ':' && c != '@');
    }

    private List<String> groups(String user) {
        long nowNs = clockNs.getAsLong();
        lock.lock();
        try {
            Remembered known = remembered.get(user);
            if (known != null && known.endNs - nowNs > 0) return known.groups;
        } finally {
            lock.unlock();
        }
        List<String> asked = ask(user);
        List<String> groups = asked == null ? groupsOfFile(user) : asked;
        lock.lock();
        try {
            remembered.remove(user);
            remembered.put(user, new Remembered(groups, nowNs + REMEMBERED_NS));
            if (remembered.size() > REMEMBERED_MAX) {
                remembered.remove(remembered.keySet().iterator().next());
            }
            return groups;
        } finally {
            lock.unlock();
        }
    }

    /** As the machine is set up: its files, a directory service, or both. Null when that cannot be had. */
    private @Nullable List<String> ask(String user) {
        List<String> command = new ArrayList<>(program);
        command.add(user);
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            log.debug("{} cannot be run: {}", program.get(0), e.getMessage());
            return null;
        }
        try (InputStream out = process.getInputStream()) {
            process.getOutputStream().close();
            if (!process.waitFor(PROGRAM_LIMIT.toMillis(), TimeUnit.MILLISECONDS) || process.exitValue() != 0) {
                return null;
            }
            byte[] names = out.readNBytes(OUTPUT_BYTES_MAX);
            return Stream.of(new String(names, StandardCharsets.UTF_8).split("\0"))
                    .filter(n -> !n.isEmpty())
                    .toList();
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        } finally {
            process.destroyForcibly();
        }
    }

    private List<String> groupsOfFile(String user) {
        try (Stream<String> lines = Files.lines(groupFile, StandardCharsets.ISO_8859_1)) {
            return lines.map(l -> l.split(":"))
                    .filter(f ->
                            f.length == 4 && List.of(f[3].strip().split(",")).contains(user))
                    .map(f -> f[0])
                    .toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of(); // the group of the process is known from the kernel
        }
    }

    /** Asks anew from now on. */
    void forget() {
        lock.lock();
        try {
            remembered.clear();
        } finally {
            lock.unlock();
        }
    }
}
