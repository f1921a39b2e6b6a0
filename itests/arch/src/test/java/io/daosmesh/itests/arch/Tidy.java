package io.daosmesh.itests.arch;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.SynchronizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Reads one source file with the JDK's own parser and lists what breaks the style guide. Owner: one test. */
final class Tidy extends TreePathScanner<Void, Void> {
    static final int METHOD_LINES_MAX = 60;
    static final int FILE_LINES_MAX = 500;
    static final int PARAMETER_COUNT_MAX = 6;

    /** From the word list of the style guide: what may not be the name of a type, method or field. */
    private static final Pattern BANNED_WORD =
            Pattern.compile("heartbeat|topology|twophasecommit|serverid|nodeid|shardserver|pingservice|metadb");

    /** A number called after a duration has to say its unit. */
    private static final Pattern UNITLESS =
            Pattern.compile("(?i).*(timeout|delay|interval|period|grace|duration|deadline|elapsed|latency)$");

    static final String NAP = "a test that sleeps for luck: wait for the condition, with a deadline";

    private static final Pattern SLEEP = Pattern.compile(
            "(.*\\.)?(Thread|NANOSECONDS|MICROSECONDS|MILLISECONDS|SECONDS|MINUTES|HOURS|DAYS)\\.sleep");

    /** Between two looks at a condition it is no nap. */
    private static final Pattern PARK = Pattern.compile("(.*\\.)?park(Nanos|Until)");

    /** What these write follows the language of the host unless a Locale comes first: other digits, commas, dotless i. */
    private static final Pattern OF_A_LOCALE = Pattern.compile(
            "(.*\\.)?(String\\.format|printf|toLowerCase|toUpperCase|DateTimeFormatter\\.ofPattern)", Pattern.DOTALL);

    private static final String LOCALE = "follows the language of the host: say Locale.ROOT";

    private static final Pattern TODO = Pattern.compile("(//|\\*).*\\b([T]ODO|[F]IXME|[X]XX)\\b(?!.*#\\d)");

    private final String name;
    private final String source;
    private final Kind kind;
    private final List<String> violations = new ArrayList<>();
    private CompilationUnitTree unit;
    private SourcePositions positions;

    /** Which rules apply to a file. */
    enum Kind {
        MAIN,
        /** Main code of a bundle that is pure outside of {@link Rooms#EDGES}. */
        PURE,
        /** A program: may print. */
        PROGRAM,
        TEST
    }

    private Tidy(String name, String source, Kind kind) {
        this.name = name;
        this.source = source;
        this.kind = kind;
    }

    /** What is wrong with this file, one line each with its place; empty when it is tidy. */
    static List<String> violations(String name, String source, Kind kind) {
        Tidy tidy = new Tidy(name, source, kind);
        tidy.checkText();
        tidy.checkTree();
        return List.copyOf(tidy.violations);
    }

    private void checkText() {
        List<String> lines = source.lines().toList();
        if (lines.size() >= FILE_LINES_MAX) {
            violations.add(name + ": " + lines.size() + " lines, fewer than " + FILE_LINES_MAX + " allowed");
        }
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (TODO.matcher(line).find()) {
                report(i + 1L, "TODO without an issue number");
            }
            if (line.stripLeading().startsWith("* @author")) {
                report(i + 1L, "@author: git knows");
            }
        }
    }

    private void checkTree() {
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Source.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        var task = (JavacTask)
                ToolProvider.getSystemJavaCompiler().getTask(null, null, problem -> {}, null, null, List.of(file));
        positions = Trees.instance(task).getSourcePositions();
        try {
            for (CompilationUnitTree parsed : task.parse()) {
                unit = parsed;
                scan(parsed, null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Void visitClass(ClassTree type, Void unused) {
        checkWord(type, type.getSimpleName().toString());
        return super.visitClass(type, unused);
    }

    @Override
    public Void visitMethod(MethodTree method, Void unused) {
        long lines = endLine(method) - line(method) + 1;
        if (lines >= METHOD_LINES_MAX) {
            report(
                    line(method),
                    method.getName() + " has " + lines + " lines, fewer than " + METHOD_LINES_MAX + " allowed");
        }
        if (method.getParameters().size() > PARAMETER_COUNT_MAX && !isCompactConstructor(method)) {
            report(
                    line(method),
                    method.getName() + " has more than " + PARAMETER_COUNT_MAX + " parameters: make a record");
        }
        if (isPureHere() && method.getModifiers().getFlags().contains(Modifier.SYNCHRONIZED)) {
            report(line(method), "synchronized outside of an edge: give the state one owner");
        }
        checkWord(method, method.getName().toString());
        return super.visitMethod(method, unused);
    }

    @Override
    public Void visitVariable(VariableTree variable, Void unused) {
        String variableName = variable.getName().toString();
        if (getCurrentPath().getParentPath().getLeaf() instanceof ClassTree) {
            checkWord(variable, variableName);
        }
        boolean isNumber = variable.getType() != null
                && Set.of("int", "long", "double").contains(variable.getType().toString());
        if (isNumber && kind != Kind.TEST && UNITLESS.matcher(variableName).matches()) {
            report(line(variable), variableName + " is a number without its unit: end it in Ns, Ms, S");
        }
        return super.visitVariable(variable, unused);
    }

    @Override
    public Void visitSynchronized(SynchronizedTree block, Void unused) {
        if (isPureHere()) {
            report(line(block), "synchronized outside of an edge: give the state one owner");
        }
        return super.visitSynchronized(block, unused);
    }

    @Override
    public Void visitMethodInvocation(MethodInvocationTree call, Void unused) {
        String called = call.getMethodSelect().toString();
        boolean isNap = SLEEP.matcher(called).matches() || PARK.matcher(called).matches() && !isInLoop();
        if (kind == Kind.TEST && isNap) {
            report(line(call), NAP);
        }
        if (kind != Kind.TEST && isOfTheHostsLocale(called, call.getArguments())) {
            report(line(call), LOCALE);
        }
        if (called.endsWith(".printStackTrace")) {
            report(line(call), "printStackTrace: log it or turn it into a Fault");
        }
        if (kind != Kind.TEST && (called.equals("ordinal") || called.endsWith(".ordinal"))) {
            report(
                    line(call),
                    "ordinal: a number that leaves the process is written down, one inside of it is an EnumMap");
        }
        return super.visitMethodInvocation(call, unused);
    }

    @Override
    public Void visitMemberSelect(MemberSelectTree select, Void unused) {
        boolean isStandardStream = select.getExpression() instanceof IdentifierTree owner
                && owner.getName().contentEquals("System")
                && Set.of("out", "err").contains(select.getIdentifier().toString());
        if (isStandardStream && !isEndOfProcess(select) && (kind == Kind.MAIN || kind == Kind.PURE)) {
            report(line(select), "System." + select.getIdentifier() + " in a bundle: use the log");
        }
        return super.visitMemberSelect(select, unused);
    }

    private static boolean isOfTheHostsLocale(String called, List<? extends ExpressionTree> arguments) {
        if (called.endsWith(".formatted")) return true;
        boolean hasLocale = arguments.stream().anyMatch(a -> a.toString().matches("(java\\.util\\.)?Locale\\..*"));
        return OF_A_LOCALE.matcher(called).matches() && !hasLocale && !called.endsWith("Character.toLowerCase");
    }

    private boolean isInLoop() {
        for (TreePath at = getCurrentPath(); at != null; at = at.getParentPath()) {
            switch (at.getLeaf().getKind()) {
                case WHILE_LOOP, DO_WHILE_LOOP, FOR_LOOP -> {
                    return true;
                }
                case METHOD, LAMBDA_EXPRESSION -> {
                    return false;
                }
                default -> {}
            }
        }
        return false;
    }

    /** The canonical constructor of a record repeats its components: a record is the remedy, not the fault. */
    private boolean isCompactConstructor(MethodTree method) {
        return method.getReturnType() == null
                && getCurrentPath().getParentPath().getLeaf().getKind() == Tree.Kind.RECORD;
    }

    /** The last words of a process that cannot start may go to its standard error: the log is not read then. */
    private boolean isEndOfProcess(MemberSelectTree select) {
        TreePath path = getCurrentPath();
        while (path != null && !(path.getLeaf() instanceof MethodTree)) {
            path = path.getParentPath();
        }
        return path != null
                && select.getIdentifier().contentEquals("err")
                && path.getLeaf().toString().contains("System.exit(");
    }

    private boolean isPureHere() {
        return kind == Kind.PURE && !Rooms.isEdgeFile(name);
    }

    private void checkWord(Tree tree, String identifier) {
        if (kind != Kind.TEST
                && BANNED_WORD.matcher(identifier.toLowerCase(Locale.ROOT)).find()) {
            report(line(tree), identifier + " uses a word that means something else here: see the word list");
        }
    }

    private void report(long line, String what) {
        violations.add(name + ":" + line + ": " + what);
    }

    private long line(Tree tree) {
        return unit.getLineMap().getLineNumber(positions.getStartPosition(unit, tree));
    }

    private long endLine(Tree tree) {
        return unit.getLineMap().getLineNumber(positions.getEndPosition(unit, tree));
    }
}
