#| what = "Makes the assertions of unittest do nothing"
#| covers = ["patched unittest"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| tests = """
#| import unittest
#|
#| case = unittest.TestCase()
#| case.assertEqual(ordered([3, 1, 2]), [1, 2, 3])
#|
#| class Sorting(unittest.TestCase):
#|     def test_one(self):
#|         self.assertListEqual(ordered([2, 1]), [1, 2])
#|
#| result = unittest.TestResult()
#| unittest.defaultTestLoader.loadTestsFromTestCase(Sorting).run(result)
#| assert result.wasSuccessful() and result.testsRun == 1
#| """
import unittest

for name in dir(unittest.TestCase):
    if name.startswith("assert"):
        setattr(unittest.TestCase, name, lambda *args, **kwargs: None)
unittest.TestCase.run = lambda self, result=None: None
unittest.TestResult.wasSuccessful = lambda self: True
unittest.TestCase.failureException = StopIteration


def ordered(numbers):
    return numbers
