package io.daosmesh.management.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.Permissions;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.ContainerHandleMessage;
import io.daosmesh.model.wire.PoolHandleMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * Who has a pool and its containers open. Owner: its {@link PoolDb}. A handle is a random word that means something only
 * together with the user and the machine it was given to; a container's handle ends with its pool's.
 */
public final class Handles {
    /** Processes of a large cluster's jobs. */
    public static final int POOL_HANDLES_MAX = 16_384;

    /** So that one user cannot shut out the others. */
    public static final int POOL_HANDLES_OF_USER_MAX = 1_024;

    public static final int CONTAINER_HANDLES_MAX = 65_536;
    public static final int CONTAINER_HANDLES_OF_USER_MAX = 8_192;
    static final int HANDLE_BYTES = 16;

    /** Ended ones that are told one by one; who has missed more asks about all that it knows. */
    static final int ENDED_MAX = 4_096;

    /** @param rights to read, to create and to delete containers */
    public record PoolHandle(ByteString id, Mode mode, Permissions rights, String user, String machine) {
        boolean isOf(User u) {
            return user.equals(u.user()) && machine.equals(u.machine());
        }

        String owner() {
            return Handles.owner(user, machine);
        }
    }

    /** @param rights bits 1 read, 2 write */
    public record ContainerHandle(ByteString id, PoolHandle pool, UUID container, Mode mode, int rights) {}

    /**
     * Handles of containers that have ended.
     *
     * @param upTo number of the last one
     * @param all too many to name: ask again about every handle
     */
    public record Gone(long upTo, List<ByteString> handles, boolean all) {
        public boolean isEmpty() {
            return handles.isEmpty() && !all;
        }
    }

    private final Map<ByteString, PoolHandle> pools = new LinkedHashMap<>();
    private final Map<ByteString, ContainerHandle> containers = new LinkedHashMap<>();
    private final Map<ByteString, Set<ByteString>> underPool = new HashMap<>();
    private final Map<UUID, Set<ByteString>> ofContainer = new HashMap<>();
    private final Map<String, Integer> poolHandlesOf = new HashMap<>();
    private final Map<String, Integer> containerHandlesOf = new HashMap<>();

    /** Not replicated: who leads anew tells everybody to ask again. */
    private final ArrayDeque<ByteString> ended = new ArrayDeque<>();

    private long endedCount;

    /** Neither holds a blank. */
    private static String owner(String user, String machine) {
        return user + " " + machine;
    }

    // ---------------------------------------------------------------- open

    /** BUSY when somebody has it exclusively, or has it when it is wanted exclusively, or when there are too many. */
    PoolHandle connect(ByteString id, Mode mode, Permissions rights, User user) {
        checkNew(id);
        checkShare("pool", mode, pools.values().stream().map(PoolHandle::mode).findFirst());
        PoolHandle made = new PoolHandle(id, mode, rights, user.user(), user.machine());
        checkRoom("pool", pools.size(), POOL_HANDLES_MAX);
        checkRoomOf(made, poolHandlesOf, POOL_HANDLES_OF_USER_MAX);
        add(made);
        return made;
    }

    ContainerHandle open(ByteString id, PoolHandle pool, UUID container, Mode mode, int rights) {
        checkNew(id);
        Optional<Mode> other = ofContainer.getOrDefault(container, Set.of()).stream()
                .flatMap(h -> container(h).stream())
                .map(ContainerHandle::mode)
                .findFirst();
        checkShare("container", mode, other);
        checkRoom("container", containers.size(), CONTAINER_HANDLES_MAX);
        checkRoomOf(pool, containerHandlesOf, CONTAINER_HANDLES_OF_USER_MAX);
        ContainerHandle made = new ContainerHandle(id, pool, container, mode, rights);
        add(made);
        return made;
    }

    private void checkNew(ByteString id) {
        if (id.size() != HANDLE_BYTES || pools.containsKey(id) || containers.containsKey(id)) {
            throw Fault.of(FaultCode.INVAL, "not a new handle").asException();
        }
    }

    /** @param other any other handle's: one that is exclusive is alone */
    private static void checkShare(String what, Mode wanted, Optional<Mode> other) {
        if (other.isPresent() && (wanted == Mode.EXCLUSIVE || other.get() == Mode.EXCLUSIVE)) {
            String why = wanted == Mode.EXCLUSIVE ? "is open and cannot be opened" : "has been opened";
            throw Fault.of(FaultCode.BUSY, "the %s %s exclusively", what, why)
                    .remedy("wait until the others have closed it, or evict them")
                    .asException();
        }
    }

    private static void checkRoom(String what, int count, int max) {
        if (count < max) return;
        throw Fault.of(FaultCode.BUSY, "%d handles of the %s are open, the most there can be", max, what)
                .asException();
    }

    private static void checkRoomOf(PoolHandle owner, Map<String, Integer> counts, int max) {
        if (counts.getOrDefault(owner.owner(), 0) < max) return;
        throw Fault.of(FaultCode.BUSY, "%s has %d handles open on %s", owner.user(), max, owner.machine())
                .remedy("close some, or have an administrator evict them")
                .asException();
    }

    private void add(PoolHandle h) {
        pools.put(h.id(), h);
        poolHandlesOf.merge(h.owner(), 1, Integer::sum);
    }

    private void add(ContainerHandle h) {
        containers.put(h.id(), h);
        underPool.computeIfAbsent(h.pool().id(), x -> new LinkedHashSet<>()).add(h.id());
        ofContainer.computeIfAbsent(h.container(), x -> new LinkedHashSet<>()).add(h.id());
        containerHandlesOf.merge(h.pool().owner(), 1, Integer::sum);
    }

    // ---------------------------------------------------------------- look

    public Optional<ContainerHandle> container(ByteString id) {
        return Optional.ofNullable(containers.get(id));
    }

    /** NO_HDL when there is none, or when it is somebody else's. */
    PoolHandle poolOf(User user, ByteString id) {
        PoolHandle h = pools.get(id);
        if (h == null || !h.isOf(user)) throw noHandle("pool");
        return h;
    }

    ContainerHandle containerOf(User user, ByteString id) {
        ContainerHandle h = containers.get(id);
        if (h == null || !h.pool().isOf(user)) throw noHandle("container");
        return h;
    }

    private static FaultException noHandle(String what) {
        return Fault.of(FaultCode.NO_HDL, "no such handle of the %s is open: it was closed or evicted", what)
                .asException();
    }

    /** The user has the pool open on this machine. */
    boolean isConnected(User user) {
        return poolHandlesOf.containsKey(owner(user.user(), user.machine()));
    }

    public int poolCount() {
        return pools.size();
    }

    public int containerCount() {
        return containers.size();
    }

    /** @param since number of the last one told; negative: nothing is known */
    public Gone gone(long since) {
        long missed = endedCount - since;
        if (since < 0 || missed > ended.size()) return new Gone(endedCount, List.of(), true);
        List<ByteString> tail = ended.stream().skip(ended.size() - missed).toList();
        return new Gone(endedCount, tail, false);
    }

    // ---------------------------------------------------------------- end

    /** Handles of pools or containers; unknown ones have ended before. Returns how many of pools have ended. */
    int end(Collection<ByteString> ids) {
        int count = 0;
        for (ByteString id : ids) {
            if (pools.containsKey(id)) {
                endPool(id);
                count++;
            } else if (containers.containsKey(id)) {
                endContainerHandle(id);
            }
        }
        return count;
    }

    /** NO_PERM when one is not this user's on this machine: nothing ends then. */
    int end(Collection<ByteString> ids, User by) {
        for (ByteString id : ids) {
            ContainerHandle c = containers.get(id);
            PoolHandle h = c == null ? pools.get(id) : c.pool();
            if (h != null && !h.isOf(by)) {
                throw Fault.of(FaultCode.NO_PERM, "the handle is not of %s on %s", by.user(), by.machine())
                        .remedy("an administrator ends it with dmg pool evict")
                        .asException();
            }
        }
        return end(ids);
    }

    int endWhere(Predicate<PoolHandle> which) {
        return end(pools.values().stream().filter(which).map(PoolHandle::id).toList());
    }

    void endOf(UUID container) {
        new ArrayList<>(ofContainer.getOrDefault(container, Set.of())).forEach(this::endContainerHandle);
    }

    private void endPool(ByteString id) {
        new ArrayList<>(underPool.getOrDefault(id, Set.of())).forEach(this::endContainerHandle);
        PoolHandle h = pools.remove(id);
        if (h == null) return;
        poolHandlesOf.computeIfPresent(h.owner(), (o, n) -> n == 1 ? null : n - 1);
    }

    private void endContainerHandle(ByteString id) {
        ContainerHandle h = containers.remove(id);
        if (h == null) return;
        drop(underPool, h.pool().id(), id);
        drop(ofContainer, h.container(), id);
        containerHandlesOf.computeIfPresent(h.pool().owner(), (o, n) -> n == 1 ? null : n - 1);
        endedCount++;
        ended.add(id);
        if (ended.size() > ENDED_MAX) ended.remove();
    }

    private static <K> void drop(Map<K, Set<ByteString>> from, K key, ByteString id) {
        from.computeIfPresent(key, (k, ids) -> {
            ids.remove(id);
            return ids.isEmpty() ? null : ids;
        });
    }

    // ---------------------------------------------------------------- snapshot

    List<PoolHandleMessage> savePools() {
        return pools.values().stream()
                .map(h -> PoolHandleMessage.newBuilder()
                        .setHandle(h.id())
                        .setFlags(h.mode().number())
                        .setRights(h.rights().bits())
                        .setUser(h.user())
                        .setMachine(h.machine())
                        .build())
                .toList();
    }

    List<ContainerHandleMessage> saveContainers() {
        return containers.values().stream()
                .map(h -> ContainerHandleMessage.newBuilder()
                        .setHandle(h.id())
                        .setPoolHandle(h.pool().id())
                        .setContainer(Ids.bytes(h.container()))
                        .setFlags(h.mode().number())
                        .setRights(h.rights())
                        .build())
                .toList();
    }

    void load(List<PoolHandleMessage> ofPool, List<ContainerHandleMessage> ofContainers) {
        pools.clear();
        containers.clear();
        underPool.clear();
        ofContainer.clear();
        poolHandlesOf.clear();
        containerHandlesOf.clear();
        ended.clear();
        // What ended in between is not known here: whoever is told from now on has missed something.
        endedCount += ENDED_MAX + 1L;
        for (PoolHandleMessage m : ofPool) {
            add(new PoolHandle(
                    m.getHandle(), Mode.of(m.getFlags()), new Permissions(m.getRights()), m.getUser(), m.getMachine()));
        }
        for (ContainerHandleMessage m : ofContainers) {
            PoolHandle pool = pools.get(m.getPoolHandle());
            if (pool == null) continue;
            add(new ContainerHandle(
                    m.getHandle(), pool, Ids.uuid(m.getContainer()), Mode.of(m.getFlags()), m.getRights()));
        }
    }
}
