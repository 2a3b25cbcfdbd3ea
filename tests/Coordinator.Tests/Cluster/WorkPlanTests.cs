using CsCheck;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class WorkPlanTests
{
    private const int CompareEvery = 7;

    private static readonly Gen<(RunConfiguration Configuration, long Start)> Runs =
        from steps in Gen.Long[1, 40]
        from start in Gen.Long[0, 40]
        from checkpoint in Gen.Long[1, 15]
        from eval in Gen.Long[1, 15]
        select (Configuration(steps, checkpoint, eval), Math.Min(start, steps));

    [Fact]
    public void The_work_of_a_run_in_order() =>
        Assert.Equal(
            "train 3, compare 3, evaluate 3, train 4, compare 4, snapshot 4, train 5, compare 5, evaluate 5, snapshot 5",
            Text(From(Configuration(steps: 5, checkpointEvery: 4, evalEvery: 3), start: 2, compareEvery: 3))
        );

    [Fact]
    public void A_run_that_begins_at_its_end_is_only_evaluated() =>
        Assert.Equal("evaluate 5", Text(From(Configuration(5, 4, 3), start: 5, compareEvery: 1)));

    [Fact]
    public void A_run_that_was_stopped_anywhere_does_the_rest_of_the_same_work() =>
        Runs.Sample(run =>
        {
            if (run.Start == run.Configuration.Steps)
                return true;
            var whole = From(run.Configuration, 0, CompareEvery).Where(work => work.Step > run.Start);
            return whole.SequenceEqual(From(run.Configuration, run.Start, CompareEvery));
        });

    [Fact]
    public void The_window_hands_out_the_plan_and_never_runs_too_far_ahead() =>
        Runs.Sample(run =>
        {
            using var window = Window(run.Configuration, run.Start);
            var given = new List<PlannedWork>();
            for (var completed = run.Start; !window.IsEmpty; completed++)
            {
                while (window.Peek(completed, GrantPace.Least) is { } next)
                {
                    Assert.True(next.Kind != WorkKind.Train || next.Step <= completed + GrantPace.Least);
                    given.Add(window.Take());
                    Assert.Equal(next, given[^1]);
                }
            }

            return given.SequenceEqual(From(run.Configuration, run.Start, CompareEvery)) && window.LastTrained == run.Configuration.Steps;
        });

    [Fact]
    public void A_window_that_is_cut_finishes_the_last_step_and_asks_once_more_for_the_state_unless_it_has_it() =>
        Gen.Select(Runs, Gen.Int[0, 30])
            .Sample(
                (run, taken) =>
                {
                    using var window = Window(run.Configuration, run.Start);
                    var given = new List<PlannedWork>();
                    for (var i = 0; i < taken && !window.IsEmpty; i++)
                        given.Add(window.Take());
                    window.Cut(hasMembers: true);
                    var last = window.LastTrained;
                    var rest = new List<PlannedWork>();
                    while (!window.IsEmpty)
                        rest.Add(window.Take());
                    var isSaved = last == run.Start || given.Contains(new(WorkKind.Snapshot, last));
                    var due = From(run.Configuration, run.Start, CompareEvery).Where(work => work.IsEvaluation && work.Step == last);
                    var expected = due.Except(given);
                    if (!isSaved)
                        expected = [new(WorkKind.Compare, last), .. expected, new(WorkKind.Snapshot, last)];
                    return rest.SequenceEqual(expected);
                }
            );

    [Fact]
    public void A_window_that_is_cut_without_members_is_empty() =>
        Gen.Select(Runs, Gen.Int[0, 30])
            .Sample(
                (run, taken) =>
                {
                    using var window = Window(run.Configuration, run.Start);
                    for (var i = 0; i < taken && !window.IsEmpty; i++)
                        window.Take();
                    return window.Cut(hasMembers: false) == window.IsCut && window.IsEmpty;
                }
            );

    [Fact]
    public void A_run_that_ends_early_saves_its_last_state_and_one_that_does_not_any_more_goes_on()
    {
        var configuration = Configuration(steps: 9, checkpointEvery: 7, evalEvery: 2, patience: 1);
        using var window = Window(configuration, 0);
        while (window.Peek(completed: 3, stepsAhead: 1) is not null)
            window.Take();
        window.EndAfter(4);
        Assert.True(window.IsEmpty);
        window.GoOnAfter(Positions.After(4), saved: 2);
        var rest = new List<PlannedWork>();
        while (!window.IsEmpty)
            rest.Add(window.Take());
        Assert.Equal("compare 4, evaluateholdout 4, evaluate 4, snapshot 4", Text(rest));
        Assert.False(window.IsCut);
        window.EndAfter(null);
        Assert.Equal(new PlannedWork(WorkKind.Train, 5), window.Peek(completed: 4, stepsAhead: 1));
    }

    [Fact]
    public void What_is_held_out_is_evaluated_before_the_test_set_and_the_state_saved_that_may_be_the_model() =>
        Assert.Equal(
            "train 1, train 2, compare 2, evaluateholdout 2, evaluate 2, snapshot 2, "
                + "train 3, compare 3, evaluateholdout 3, evaluate 3, snapshot 3",
            Text(From(Configuration(steps: 3, checkpointEvery: 7, evalEvery: 2, patience: 1), start: 0, compareEvery: 0))
        );

    [Fact]
    public void After_a_loss_the_rest_of_the_plan_is_handed_out_and_no_state_that_has_arrived_is_asked_for_again() =>
        Gen.Select(Runs, Gen.Int[0, 30], Gen.Int[0, 30], Gen.Bool)
            .Sample(
                (run, taken, back, isSaved) =>
                {
                    using var window = Window(run.Configuration, run.Start);
                    var given = new List<PlannedWork>();
                    for (var i = 0; i < taken && !window.IsEmpty; i++)
                        given.Add(window.Take());
                    var done = given.Take(given.Count - Math.Min(back, given.Count)).Where(work => work.HasPlace).ToList();
                    var position = done.Count > 0 ? done[^1].Position : Positions.Start(run.Start, run.Configuration.Steps);
                    var asked = given.Where(work => work.Kind == WorkKind.Snapshot && work.Step <= Positions.StepAt(position)).ToList();
                    var saved = isSaved && asked.Count > 0 ? asked[^1].Step : run.Start;
                    window.GoOnAfter(position, saved);

                    var rest = new List<PlannedWork>();
                    while (!window.IsEmpty)
                        rest.Add(window.Take());
                    var plan = From(run.Configuration, run.Start, CompareEvery).Where(work => work.HasPlace).ToList();
                    Assert.Equal(plan.Where(work => work.Position > position), rest.Where(work => work.HasPlace));
                    var states = rest.Where(work => work.Kind == WorkKind.Snapshot).Select(work => work.Step).ToList();
                    Assert.Equal(states.Distinct().Order(), states);
                    Assert.All(states, step => Assert.True(step > saved));
                    Assert.All(states, step => Assert.Contains(new PlannedWork(WorkKind.Compare, step), rest));
                    return saved == run.Configuration.Steps
                        || states.Contains(run.Configuration.Steps)
                        || run.Start == run.Configuration.Steps;
                }
            );

    private static IEnumerable<PlannedWork> From(RunConfiguration configuration, long start, int compareEvery) =>
        WorkPlan.After(configuration, Positions.Start(start, configuration.Steps), start, compareEvery);

    private static WorkWindow Window(RunConfiguration configuration, long start) =>
        new(configuration, Positions.Start(start, configuration.Steps), CompareEvery);

    private static RunConfiguration Configuration(long steps, long checkpointEvery, long evalEvery, int? patience = null) =>
        new()
        {
            NumericsVersion = 1,
            Options = new()
            {
                Steps = steps,
                BatchSize = 8,
                Microbatch = 4,
                CheckpointEvery = checkpointEvery,
                EvalEvery = evalEvery,
                Patience = patience,
                Data = new() { Holdout = patience is null ? null : "0.1" },
            },
            DatasetSha256 = "",
            InitWeightsSha256 = null,
        };

    private static string Text(IEnumerable<PlannedWork> work) =>
        string.Join(", ", work.Select(piece => $"{piece.Kind.ToString().ToLowerInvariant()} {piece.Step}"));
}
