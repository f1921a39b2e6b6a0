package io.daosmesh.itests.arch;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.MethodCallTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.Set;

/** The rules of docs on floors and purity in a form that can be tried on any set of classes. Immutable. */
final class Rules {
    /** Who may import whom, by module folder. Whoever is not listed as a target may not be imported. */
    static final Map<String, Set<String>> MAY_IMPORT = Map.ofEntries(
            Map.entry("device-spi", Set.of()),
            Map.entry("model", Set.of()),
            Map.entry("transport", Set.of("model")),
            Map.entry("storage", Set.of("model", "device-spi")),
            Map.entry("swim", Set.of("model")),
            Map.entry("management", Set.of("model")),
            Map.entry("engine", Set.of("model", "storage", "device-spi")),
            Map.entry("rebuild", Set.of("model")),
            Map.entry("telemetry", Set.of("model")),
            Map.entry("control", Set.of("model")),
            Map.entry("client", Set.of("model")),
            Map.entry("agent", Set.of("model")),
            Map.entry("admin", Set.of("model")),
            Map.entry("console", Set.of("model", "admin")),
            Map.entry("nvme-spdk", Set.of("device-spi")),
            Map.entry("pmem", Set.of("device-spi")),
            Map.entry("vmd-led", Set.of("device-spi")),
            Map.entry("cli", Set.of("model", "admin", "client", "agent", "transport")));

    /** Bundles whose packages other bundles may see. */
    static final Set<String> CONTRACTS = Set.of("device-spi", "model", "storage", "client", "admin");

    /** Bundles in which only {@link Rooms#EDGES} touch the outside world. */
    static final Set<String> PURE = Set.of("swim", "management", "storage", "engine", "rebuild");

    private static final DescribedPredicate<JavaClass> SOCKETS_AND_REACTOR_NETTY =
            resideInAnyPackage("io.netty..", "io.rsocket..", "reactor.netty..");

    private static final Set<String> IMPURE_TYPES = Set.of(
            "java.lang.Thread",
            "java.lang.ThreadLocal",
            "java.lang.Process",
            "java.lang.ProcessBuilder",
            "java.lang.ProcessHandle",
            "java.util.Random",
            "java.util.Timer",
            "java.util.SplittableRandom",
            "java.security.SecureRandom",
            "java.time.Clock",
            "java.nio.file.Files",
            "java.io.File",
            "java.io.RandomAccessFile",
            "java.io.FileInputStream",
            "java.io.FileOutputStream",
            "java.io.FileReader",
            "java.io.FileWriter",
            "java.util.concurrent.Executor",
            "java.util.concurrent.Executors",
            "java.util.concurrent.ExecutorService",
            "java.util.concurrent.ScheduledExecutorService",
            "java.util.concurrent.ThreadPoolExecutor",
            "java.util.concurrent.ForkJoinPool",
            "java.util.concurrent.ThreadLocalRandom",
            "java.util.concurrent.CountDownLatch",
            "java.util.concurrent.Semaphore");

    private static final DescribedPredicate<JavaClass> IN_AN_EDGE =
            describe("in a package that acts", type -> Rooms.isEdge(type.getPackageName()));

    private static final DescribedPredicate<JavaClass> SHARED = describe(
            "shared by name", type -> Rooms.SHARED.containsKey(type.getName().replaceAll("^.*\\.|\\$.*$", "")));

    /** All of java.util.concurrent is for several threads, but its units. */
    private static final DescribedPredicate<JavaClass> FOR_SEVERAL_THREADS = describe(
            "an atomic or a concurrent collection",
            type -> type.getPackageName().startsWith("java.util.concurrent")
                    && !type.getName().equals("java.util.concurrent.TimeUnit"));

    private static final DescribedPredicate<JavaClass> IMPURE = resideInAnyPackage(
                    "reactor..",
                    "org.osgi.framework..",
                    "org.osgi.service..",
                    "org.rocksdb..",
                    "org.apache.ratis..",
                    "java.net..",
                    "java.nio.channels..",
                    "java.util.concurrent.locks..",
                    "java.util.prefs..")
            .or(describe("a thread, clock, random source or file", type -> IMPURE_TYPES.contains(type.getName())));

    private static final DescribedPredicate<JavaMethodCall> READS_CLOCK_OR_CHANCE =
            describe("the clock or chance", call -> isClockOrChance(call.getTarget()));

    private Rules() {}

    static ArchRule onlyTransportUsesSockets() {
        return noClasses()
                .should()
                .dependOnClassesThat(SOCKETS_AND_REACTOR_NETTY)
                .because("one place owns the sockets: bundles/transport")
                .allowEmptyShould(true);
    }

    static ArchRule pureOutsideEdges() {
        return noClasses()
                .that(not(IN_AN_EDGE))
                .should()
                .dependOnClassesThat(IMPURE)
                .because("time comes in as nowNs and effects go out through a small interface; only the edges act")
                .allowEmptyShould(true);
    }

    static ArchRule noClockOutsideEdges() {
        return noClasses()
                .that(not(IN_AN_EDGE))
                .should()
                .callMethodWhere(READS_CLOCK_OR_CHANCE)
                .because("a protocol that reads the clock cannot be simulated")
                .allowEmptyShould(true);
    }

    static ArchRule oneOwnerOutsideEdges() {
        return noClasses()
                .that(not(IN_AN_EDGE.or(SHARED)))
                .should()
                .dependOnClassesThat(FOR_SEVERAL_THREADS)
                .because("state has one owner; what others need they ask it for")
                .allowEmptyShould(true);
    }

    static ArchRule noVagueNames() {
        return noClasses()
                .should()
                .resideInAnyPackage(
                        "..util..", "..utils..", "..common..", "..core..", "..base..", "..misc..", "..helper..")
                .because("such a package has no owner: name it after what it does")
                .allowEmptyShould(true);
    }

    private static boolean isClockOrChance(MethodCallTarget target) {
        String owner = target.getOwner().getName();
        String method = target.getName();
        return switch (owner) {
            case "java.lang.System" -> method.equals("currentTimeMillis") || method.equals("nanoTime");
            case "java.util.UUID" -> method.equals("randomUUID");
            case "java.lang.Math" -> method.equals("random");
            default -> owner.startsWith("java.time.") && method.equals("now");
        };
    }
}
