using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// Takes a segment of a pass through the blocked layers of a sequence, each thread with its own rows. One object serves all passes of an
/// executor, so that a warmed step allocates nothing.
/// </summary>
internal sealed unsafe class SegmentWork(SequenceExecutor executor) : IChunkedWork
{
    private PassSegment _segment;
    private Pass _pass;
    private int _rows;
    private bool _isForward;
    private Extent _input;
    private Extent _outputGradient;
    private Extent _inputGradient;
    private Extent _parameterGradient;

    /// <summary>Runs the segment on all threads, and returns when the last is done.</summary>
    /// <param name="segment">Split over two threads or more.</param>
    /// <param name="whole">What the whole pass reads and writes; a forward pass has neither gradients nor progress.</param>
    /// <param name="isForward">Whether to go forward.</param>
    /// <param name="team">The threads.</param>
    internal void Run(in PassSegment segment, in BackwardPass whole, bool isForward, ComputeTeam team)
    {
        fixed (
            float* input = whole.Input,
                output = whole.OutputGradient,
                inputGradient = whole.InputGradient,
                parameters = whole.ParameterGradient
        )
        {
            (_segment, _pass, _rows, _isForward) = (segment, whole.Pass, whole.Rows, isForward);
            _input = new Extent(input, whole.Input.Length);
            _outputGradient = new Extent(output, whole.OutputGradient.Length);
            _inputGradient = new Extent(inputGradient, whole.InputGradient.Length);
            _parameterGradient = new Extent(parameters, whole.ParameterGradient.Length);
            team.RunObject(this);
        }
    }

    /// <summary>One thread's rows, or those of several where there are fewer chunks: a team inside another's chunk runs alone.</summary>
    public void Execute(int chunk, int chunks)
    {
        for (var thread = chunk; thread < _segment.Threads; thread += chunks)
        {
            var rows = _segment.RowsOf(thread);
            BackwardPass pass = new()
            {
                Input = _input.Span,
                Rows = _rows,
                OutputGradient = _outputGradient.Span,
                InputGradient = _inputGradient.Span,
                ParameterGradient = _parameterGradient.Span,
                Pass = _pass with { ThreadRows = rows },
            };
            executor.RunThreadRows(rows, pass, _isForward);
        }
    }

    /// <summary>Floats that do not move while the threads run.</summary>
    private readonly struct Extent(float* first, int length)
    {
        public Span<float> Span => new(first, length);
    }
}
